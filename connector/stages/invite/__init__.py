"""`invite`: who is asked about what, and who is not."""
