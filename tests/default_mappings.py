"""The default mappings, as the packages of our adapters bring them."""

from connector.app.adapter_packages import installed_adapters


def packaged(adapter: str) -> str:
    """Return the text of an adapter's default mapping."""
    return installed_adapters()[adapter].default_mapping.read()
