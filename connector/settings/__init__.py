"""The settings: config.toml and environment variables, validated once."""

from connector.settings.choices import Audience, Auth, Metric, Mode, Priority, Recipients, Role, Security
from connector.settings.load import load
from connector.settings.model import (
    Connection,
    Email,
    FollowUp,
    Limits,
    OAuth,
    Schedule,
    Scoring,
    Settings,
    Store,
    Survey,
    Web,
)
from connector.settings.values import AccountCap, Listen, Sender, SendingWindow

__all__ = [
    "AccountCap",
    "Audience",
    "Auth",
    "Connection",
    "Email",
    "FollowUp",
    "Limits",
    "Listen",
    "Metric",
    "Mode",
    "OAuth",
    "Priority",
    "Recipients",
    "Role",
    "Schedule",
    "Scoring",
    "Security",
    "Sender",
    "SendingWindow",
    "Settings",
    "Store",
    "Survey",
    "Web",
    "load",
]
