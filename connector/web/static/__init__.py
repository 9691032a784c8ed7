"""What the pages are styled with."""
