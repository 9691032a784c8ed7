"""`write_back`: fields, tasks and notes on CRM records, and taking them back."""
