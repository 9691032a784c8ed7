"""Credentials as they are copied and sent."""


def unsendable(secret: str) -> str:
    """Name the first character of a secret that no header can carry, or that nobody sees; empty: there is none."""
    return next((f"U+{ord(char):04X}" for char in secret if not "!" <= char <= "~"), "")
