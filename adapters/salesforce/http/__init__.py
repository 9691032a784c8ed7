"""Calls to Salesforce: tokens, sessions, the share of the day, time limits."""
