"""The version of the Salesforce API that this adapter speaks."""

from datetime import UTC, datetime

API_VERSION = "64.0"
"""Summer '25. Newer fields and rules are not seen until this is raised; the tests then run against the new version."""

SUPPORTED_UNTIL = datetime(2028, 6, 1, tzinfo=UTC)
"""Salesforce supports each version for at least three years from its first release; afterwards it may answer 410."""
