"""The product: surveys, scores, follow-ups. It knows no CRM vendor and no mail server; see ports.py for what it asks of them."""
