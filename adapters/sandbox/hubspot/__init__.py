"""A pretend HubSpot: a portal in memory that speaks the vendor's CRM, OAuth and account protocols."""

from adapters.sandbox.hubspot.app import HubSpot
from adapters.sandbox.hubspot.errors import HubSpotError
from adapters.sandbox.hubspot.portal.schema import Option, Property

__all__ = ["HubSpot", "HubSpotError", "Option", "Property"]
