"""What pages, reports, exports and `status` read."""
