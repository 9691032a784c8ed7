"""Near names: what somebody is likely to have meant who wrote something that is not there."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest(word: str, words: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the word that is spelt most like another, or None. `cutoff`: how like, from 0 to 1 (the same)."""
    return next(iter(get_close_matches(word, list(words), n=1, cutoff=cutoff)), None)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return the question to put behind a sentence, a blank before it; nothing where no word is near."""
    near = closest(word, words)
    return f' Did you mean "{near}"?' if near else ""


def near_or_all(word: str, words: Iterable[str]) -> str:
    """Return a sentence with the word that is near, or with all that there are."""
    known = sorted(set(words))
    if not known:
        return "None is known here."
    return did_you_mean(word, known).strip() or f"Known here: {', '.join(known)}."
