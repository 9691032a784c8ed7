"""What the TOML parser says, in an admin's words."""

import ast
import re


def reason(message: str) -> str:
    """Return what is wrong, without the place. A key or table that is there already is named as the file has it."""
    words = re.sub(r" \(at .*\)$", "", message)
    twice = re.fullmatch(r"Cannot (?:declare|mutate immutable namespace) (\(.*?\))(?: twice)?", words)
    if twice is not None:
        return f"[{'.'.join(ast.literal_eval(twice[1]))}] stands twice"
    return "a key stands twice" if words == "Cannot overwrite a value" else words


def place(message: str) -> str:
    """Return where, as the parser tells it: ``at line 3, column 5``; empty when it does not."""
    found = re.search(r"\((at .*)\)$", message)
    return found[1] if found else ""
