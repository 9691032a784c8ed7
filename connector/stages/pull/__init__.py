"""`pull`: what changed in a CRM becomes rows; and the slow comparison of everything."""
