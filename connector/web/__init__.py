"""The web application: the survey page, and the account's page for users of the CRM."""

from connector.web.app import create_app
from connector.web.parts import WebParts

__all__ = ["WebParts", "create_app"]
