"""How `afterword demo` reaches the demo, whose libraries are an optional extra of the package."""

from pathlib import Path
from typing import Final

from connector.cli.output.terminal import out
from connector.errors import AfterwordError

PACKAGES: Final = frozenset({"aiosmtpd", "lark", "trustme"})
"""What only the demo and its pretend CRMs import: the extra `demo` in pyproject.toml."""


def run(directory: Path, *, once: bool, seed: int) -> int:
    """Run the demo, until all is settled or until it is stopped, and return the exit code.

    Raises AfterwordError where the extra `demo` is not installed.
    """
    try:
        from connector.demo import run as demo  # noqa: PLC0415 - no other command waits for the pretend CRMs, or needs them
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        raise AfterwordError(
            f"the demo needs the package {package}, which is not installed.",
            where="afterword demo",
            remedy="Install what the demo needs: pip install '.[demo]' in the checkout",
        ) from None
    return demo.once(out, seed=seed) if once else demo.stay(out, directory, seed=seed)
