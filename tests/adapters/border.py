"""What may come in at the border to any CRM: errors of libraries, and answers of every shape."""

from typing import Any, Final, NoReturn

from hypothesis import strategies as st

FOREIGN: Final = (
    ValueError,
    UnicodeError,
    TypeError,
    OverflowError,
    RecursionError,
    OSError,
    KeyError,
    AttributeError,
)
DEEP: Final = "[" * 100_000 + "]" * 100_000
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def shaped(*names: str) -> st.SearchStrategy[Any]:
    """Return answers that hold what a CRM's do, by these names, and anything in its place."""
    return st.recursive(
        JSON,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=5),
        max_leaves=10,
    )


def break_off(kind: type[Exception]) -> NoReturn:
    """Raise what a library may raise."""
    if kind is UnicodeError:
        "\N{ZERO WIDTH SPACE}".encode("latin-1")
    raise kind("broken")
