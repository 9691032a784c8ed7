"""The pretend Salesforce in a browser: lists, search and records, as somebody who works in it would see them."""

from adapters.sandbox.pages.app import Pages
from adapters.sandbox.pages.viewing import show_to_everybody

__all__ = ["Pages", "show_to_everybody"]
