"""What each command does, without a terminal: values in, values out."""
