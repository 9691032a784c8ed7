"""Credentials as they are copied and sent."""

from pydantic import SecretStr


def unsendable(secret: str) -> str:
    """Name the first character of a secret that no header can carry, or that nobody sees; empty: there is none."""
    return next((f"U+{ord(char):04X}" for char in secret if not "!" <= char <= "~"), "")


def revealed(secret: SecretStr | None) -> str:
    """Return a secret in clear: for whom it is meant, and nobody else. Empty: there is none."""
    return secret.get_secret_value() if secret else ""
