"""What is wrong with a value, said by whoever reads it."""

Loc = tuple[str | int, ...]
"""The place of a value: names of tables and keys, and positions in lists."""


class Wrong(ValueError):
    """A value that cannot be meant. Its words stand behind the value, unless that is not to be `shown`, and hold no secret.

    `at`: the place below the table whose `rules` it breaks.
    """

    def __init__(self, what: str, remedy: str, *, at: Loc = (), shown: bool = True) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.at = at
        self.shown = shown


class Missing(Wrong):
    """A key that others need. How it is added is said between the `because` and what `also` will do."""

    def __init__(self, key: str, because: str = "", *, below: Loc = (), also: str = "") -> None:
        super().__init__("is missing.", because, at=(*below, key), shown=False)
        self.also = also
