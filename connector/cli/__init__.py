"""The command line: each command, and how its result is printed. Here alone an error becomes a message and an exit code."""
