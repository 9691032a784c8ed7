"""The tables by their names. A command line that only offers them imports no table."""

from enum import StrEnum


class TableName(StrEnum):
    """What `afterword export` writes."""

    ACCOUNTS = "accounts"
    RESPONSES = "responses"
    FOLLOW_UPS = "follow-ups"
