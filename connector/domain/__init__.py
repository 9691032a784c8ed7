"""Pure rules that several parts share, values in and values out. They know the model, the errors, the ports and the scales."""
