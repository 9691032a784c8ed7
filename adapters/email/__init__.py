"""E-mail by SMTP, as a channel."""

from adapters.email.config import EmailConfig, MailOAuth
from adapters.email.smtp import SmtpChannel

__all__ = ["EmailConfig", "MailOAuth", "SmtpChannel"]
