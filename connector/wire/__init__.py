"""Shared by all code that speaks to other machines: reading within limits and deadlines, parsing answers, counting calls, and the
reasons of failures.

Adapters may import it; of ours it imports the ports and the errors alone.
"""
