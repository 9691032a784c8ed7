"""The settings: config.toml and environment variables, validated once."""

from connector.settings.choices import Audience, Auth, Metric, Mode, Priority, Recipients, Role, Security, Superior
from connector.settings.company import Admin, Company, Reports
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
from connector.settings.values import AccountCap, Listen, Sender, SendingWindow, WeeklyTime

__all__ = [
    "AccountCap",
    "Admin",
    "Audience",
    "Auth",
    "Company",
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
    "Reports",
    "Role",
    "Schedule",
    "Scoring",
    "Security",
    "Sender",
    "SendingWindow",
    "Settings",
    "Store",
    "Superior",
    "Survey",
    "Web",
    "WeeklyTime",
    "load",
]
