"""What CRM records should show, what was written to them, and what was refused."""
