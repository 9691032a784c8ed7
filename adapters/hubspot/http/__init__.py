"""Calls to HubSpot: tokens, speed, the share of the day, time limits."""
