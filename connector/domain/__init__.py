"""Pure rules that several parts share. Nothing here is imported but `connector.model` and `connector.errors`."""
