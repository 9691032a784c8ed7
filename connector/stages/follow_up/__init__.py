"""`follow_up`: what somebody must do about a customer, from its opening to its outcome."""
