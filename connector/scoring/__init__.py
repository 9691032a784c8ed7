"""From single ratings to one satisfaction score for each account: pure functions, no clock, no store."""
