"""Salesforce, on simple-salesforce: reading, writing, setting up. It speaks the wire and knows no field's meaning."""

from adapters.salesforce.package import adapter

__all__ = ["adapter"]
