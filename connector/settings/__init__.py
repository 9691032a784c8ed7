"""The settings: config.toml and environment variables, validated once."""

from connector.settings.choices import Audience, Metric, Mode, Priority, Recipients, Role, Security, Superior
from connector.settings.company import Admin, Company, Reports
from connector.settings.load import load
from connector.settings.model import (
    AskingLimits,
    Connection,
    Email,
    FollowUpRule,
    OAuthSettings,
    Schedule,
    Scoring,
    Settings,
    StoreSettings,
    Survey,
    Web,
)
from connector.settings.value_readers import AccountCap, Listen, Sender, SendingWindow, WeeklyTime

__all__ = [
    "AccountCap",
    "Admin",
    "AskingLimits",
    "Audience",
    "Company",
    "Connection",
    "Email",
    "FollowUpRule",
    "Listen",
    "Metric",
    "Mode",
    "OAuthSettings",
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
    "StoreSettings",
    "Superior",
    "Survey",
    "Web",
    "WeeklyTime",
    "load",
]
