"""What is wrong with the settings, said of the key in the file or of the variable by which it was set."""

from collections.abc import Mapping
from typing import Any

from connector.domain.config.problems import FileProblems
from connector.domain.config.wrong import Loc
from connector.settings.keys import Key, KeyCatalogue, variable


class SettingsProblems(FileProblems):
    """Says what is wrong. No secret is in it."""

    def __init__(
        self, file: str, values: Mapping[str, Any], keys: KeyCatalogue, origins: Mapping[tuple[str, ...], str]
    ) -> None:
        super().__init__(file, values)
        self._keys = keys
        self._origins = origins

    def where(self, loc: Loc) -> str:
        """See `FileProblems.where`: where a list's element is wrong, its list is named."""
        names = _names(loc)
        origins = (self._origins.get(names[:n]) for n in range(len(names), 0, -1))
        return next(filter(None, origins), f"{self.file}: {'.'.join(names)}")

    def addition(self, loc: Loc) -> str:
        """See `FileProblems.addition`."""
        names, key = _names(loc), self._key(loc)
        file = f" (or {names[-1]}_file)" if key and key.secret else ""
        return f"Add {names[-1]}{file} under [{'.'.join(names[:-1])}], or set {variable(names)}."

    def may_be_shown(self, loc: Loc, value: object) -> bool:
        """See `FileProblems.may_be_shown`."""
        key = self._key(loc)
        if key is None or key.secret:
            return False
        text = value if isinstance(value, str) else ""
        if key.loc[0] == "follow_up" and key.loc[-1] == "notify" and "/" in text:
            return False
        # An address may have a user name and perhaps a password in front.
        return not ("@" in text and (":" in text or "/" in text))

    def _key(self, loc: Loc) -> Key | None:
        return self._keys.covering(_names(loc))


def _names(loc: Loc) -> tuple[str, ...]:
    return tuple(part for part in loc if isinstance(part, str))
