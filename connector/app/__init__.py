"""Putting an installation together, and running it: only this package, the command line and the demo see everything."""
