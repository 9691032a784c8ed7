"""Signed, single-purpose tokens: the survey link, the sign-in link and the session.

A token carries an id and a signature, nothing secret; when it ends is decided by a row in the store, on the Clock. Each purpose
has a salt of its own, so that a token of one is worthless for another.
"""

import hmac
import re
from collections.abc import Sequence

from itsdangerous import BadData, URLSafeSerializer

from connector.errors import AfterwordError

MARK_HEADER = "X-Afterword"
"""The header in which an installation says which one it is; see `Tokens.mark`."""
_SURVEY = "afterword.survey"
_SIGN_IN = "afterword.sign-in"
_SESSION = "afterword.session"
_BOUNCES = "afterword.bounces"
_OUTCOME = "afterword.outcome"
_LONGEST = 300
"""No token of ours is longer; anything that is, is not worth a signature check."""


class ForgedToken(AfterwordError):
    """A token that we did not make, not for this purpose, or not with a key that still counts."""

    def __init__(self) -> None:
        super().__init__("The link is not one of ours.", remedy="Open it from the mail again, and in one piece.")


class Tokens:
    """Makes and reads tokens. The first secret signs; all of them verify, so that a key can be replaced without breaking links."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """`secrets`: newest first, at least one, none empty."""
        if not secrets or not all(secrets):
            raise ValueError("at least one secret is needed, and none may be empty")
        # itsdangerous signs with the last key and tries the others for verifying.
        self._keys = list(reversed(secrets))

    def survey(self, invitation_id: str) -> str:
        """Return the token of the survey link of one invitation."""
        return self._sign(_SURVEY, invitation_id)

    def read_survey(self, token: str) -> str:
        """Return the invitation's id. Raises `ForgedToken`."""
        return self._read(_SURVEY, token)

    def sign_in(self, nonce: str) -> str:
        """Return the token of a one-time sign-in link."""
        return self._sign(_SIGN_IN, nonce)

    def read_sign_in(self, token: str) -> str:
        """Return the nonce. Raises `ForgedToken`."""
        return self._read(_SIGN_IN, token)

    def session(self, value: str) -> str:
        """Return the content of a session cookie."""
        return self._sign(_SESSION, value)

    def read_session(self, token: str) -> str:
        """Return what the session cookie was made of. Raises `ForgedToken`."""
        return self._read(_SESSION, token)

    def outcome(self, follow_up_id: str) -> str:
        """Return the token of the page on which a follow-up's outcome is noted; it is good for nothing else."""
        return self._sign(_OUTCOME, follow_up_id)

    def read_outcome(self, token: str) -> str:
        """Return the follow-up's id. Raises `ForgedToken`."""
        return self._read(_OUTCOME, token)

    def bounces(self) -> str:
        """Return the token of the address to which a mail provider reports what did not arrive: always the same for one key."""
        return self._sign(_BOUNCES, "bounces")

    def check_bounces(self, token: str) -> None:
        """Make sure that a report comes by our own address. Raises `ForgedToken`."""
        self._read(_BOUNCES, token)

    def keyed(self, text: str) -> str:
        """Return what tells a text from others, and nothing of it to whoever has not our oldest key."""
        return hmac.new(self._keys[0].encode(), b"afterword.keyed\n" + text.encode(), "sha256").hexdigest()[:32]

    def mark(self) -> str:
        """Return what tells this installation from others, and nothing of its keys. It stays while the oldest key does."""
        return hmac.new(self._keys[0].encode(), b"afterword.installation", "sha256").hexdigest()[:16]

    def _sign(self, purpose: str, value: str) -> str:
        signed = self._serializer(purpose).dumps(value)
        return signed.decode() if isinstance(signed, bytes) else signed

    def _read(self, purpose: str, token: str) -> str:
        if len(token) > _LONGEST:
            raise ForgedToken
        try:
            value = self._serializer(purpose).loads(token)
        except BadData as error:
            raise ForgedToken from error
        if not isinstance(value, str):
            raise ForgedToken
        return value

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._keys, salt=purpose)


def mask(token: str) -> str:
    """Return the token as a log may show it: enough to tell two apart, not enough to use it."""
    return f"{token[:4]}…" if len(token) > 8 else "…"


# Several in a row: the path of the public address may be one of these words too. Looked for at the first of several slashes alone:
# at each of very many it takes seconds.
_IN_TEXT = re.compile(r"((?<!/)(?:/+(?:s|f|sign-in|bounces))+/+)([^/?#\s\"']+)")


def mask_path(text: str) -> str:
    """Return a path, URL or log line with every token in it masked."""
    return _IN_TEXT.sub(lambda match: match[1] + mask(match[2]), text)
