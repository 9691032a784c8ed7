"""Shared by all code that speaks to other machines: reading within limits, parsing answers, and the reasons of failures.

Adapters may import it; it imports nothing of ours.
"""
