"""Files that are named in files."""

from pathlib import Path

from connector.domain.config.table import Wrong


def existing_file(value: object, base: Path) -> Path:
    """Read the path of a file that is there; a relative one starts at the folder `base`."""
    if not isinstance(value, str) or not value:
        raise Wrong("is not the path of a file.", "Write it in quotes.")
    path = base / value
    if not may_look_at(path):
        raise Wrong(
            f"names {path}, and this user may not look into its folder.",
            f"Let the user who runs Afterword in: chown or chmod {path.parent}.",
        )
    if not path.is_file():
        raise Wrong("names a file that is not there.", f"Relative paths start at {base}.")
    return path


def may_look_at(path: Path) -> bool:
    """Tell whether this user may see whether a file is there."""
    try:
        path.stat()
    except (OSError, ValueError) as error:
        return not isinstance(error, PermissionError)
    return True
