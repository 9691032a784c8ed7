"""What other programs send."""
