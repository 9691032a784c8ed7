"""The pretend CRMs in a browser: lists, search and records, as somebody who works in one would see them."""

from adapters.sandbox.pages.hubspot.app import HubSpotPages
from adapters.sandbox.pages.salesforce.app import SalesforcePages
from adapters.sandbox.pages.salesforce.viewing import show_to_everybody

__all__ = ["HubSpotPages", "SalesforcePages", "show_to_everybody"]
