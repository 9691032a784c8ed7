"""HubSpot, on hubspot-api-client: reading, writing, setting up. It speaks the wire and knows no field's meaning."""

from adapters.hubspot.package import adapter

__all__ = ["adapter"]
