"""What our own people are told about follow-ups: at once, once a day, or in a chat."""
