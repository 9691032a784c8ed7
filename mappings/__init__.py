"""What the fields of a CRM mean, as data: the default mappings, their loader, their check against a live schema, the converters."""
