"""What any part may need of the machine that it runs on: clocks, the sign to end, calls, tokens and private files."""
