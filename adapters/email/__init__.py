"""E-mail by SMTP, as a channel."""

from collections.abc import Mapping
from typing import Any

from adapters.email.config import config
from adapters.email.smtp import SmtpChannel
from connector.ports import Clock
from connector.ports.mail import Channel


def channel(values: Mapping[str, Any], clock: Clock) -> Channel:
    """Return the channel for the values of ``[email]``; see `adapters.email.config.config` for what they are."""
    return SmtpChannel(config(values), clock)
