"""Tokens are signed, for one purpose, and survive a change of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.surveys.tokens import ForgedToken, Tokens, mask, mask_path

TOKENS = Tokens(["the newest of the secrets"])
GOOD = TOKENS.survey("5f1d7c0a9be84a6f0c2d3e4f")


def test_a_token_leads_back_to_its_invitation():
    assert TOKENS.read_survey(GOOD) == "5f1d7c0a9be84a6f0c2d3e4f"


def test_a_token_of_one_purpose_is_worthless_for_another():
    for made in (TOKENS.sign_in("n"), TOKENS.session("n")):
        with pytest.raises(ForgedToken):
            TOKENS.read_survey(made)
    with pytest.raises(ForgedToken):
        TOKENS.read_sign_in(GOOD)
    with pytest.raises(ForgedToken):
        TOKENS.read_session(GOOD)


def test_after_a_rotation_old_links_work_and_new_ones_are_signed_with_the_new_key():
    rotated = Tokens(["new", "the newest of the secrets"])

    assert rotated.read_survey(GOOD) == TOKENS.read_survey(GOOD)
    assert Tokens(["new"]).read_survey(rotated.survey("x")) == "x"


def test_a_key_that_was_taken_away_opens_nothing():
    with pytest.raises(ForgedToken):
        Tokens(["new"]).read_survey(GOOD)


@pytest.mark.parametrize("secrets", [[], [""], ["good", ""]])
def test_no_empty_secret_ever_signs(secrets):
    with pytest.raises(ValueError, match="secret"):
        Tokens(secrets)


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_a_changed_character_is_noticed(place, char):
    changed = GOOD[:place] + char + GOOD[place + 1 :]
    if changed == GOOD:
        return
    try:
        # The last character of base64 holds spare bits: the same signature may be spelt in more than one way.
        assert TOKENS.read_survey(changed) == TOKENS.read_survey(GOOD)
        assert place == len(GOOD) - 1
    except ForgedToken:
        pass


@given(st.text(max_size=400))
def test_anything_else_is_forged(text):
    with pytest.raises(ForgedToken):
        TOKENS.read_survey(text)


def test_a_log_shows_no_usable_token():
    assert GOOD not in mask(GOOD)
    line = f'"GET /s/{GOOD}?rating=4 HTTP/1.1" 200, then /sign-in/{GOOD} and https://x.example/s/{GOOD}/thanks'
    assert GOOD not in mask_path(line)
    assert "?rating=4" in mask_path(line)
    assert "/thanks" in mask_path(line)
    assert mask_path("/accounts/12") == "/accounts/12"


@pytest.mark.parametrize("path", ["/s/s/{}", "/s//{}", "//s/{}", "/feedback/s/{}/", "/s/sign-in/{}", "/accounts/s/{}"])
def test_a_log_shows_no_usable_token_whatever_the_address_is(path):
    assert GOOD not in mask_path(path.format(GOOD))


def test_a_short_token_is_masked_whole():
    assert mask("secret") == "…"


def test_very_many_slashes_are_read_through_once() -> None:
    """Looking at each of them for the beginning of a link took half a minute."""
    assert mask_path("/" * 60_000) == "/" * 60_000
