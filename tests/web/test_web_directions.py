"""Names and words that are written from right to left, or hold marks that turn what follows: ours stay as we wrote them."""

import hashlib

import pytest
from sqlalchemy import update
from web_world import NOW, World, wait_until

from connector.domain.text_direction import isolated
from connector.store.ops.sign_ins import begin_session
from connector.store.tables import account, contact

TURNED = "Evil \u202e\u2067Corp"
ARABIC = "شركة النور"


def account_page(world: World) -> str:
    """Return the account's page as a user sees it."""
    with world.store.write() as tx:
        begin_session(tx, hashlib.sha256(b"secret").hexdigest(), "jane@acme.example", NOW)
    signed_in = {"Cookie": f"afterword={world.tokens.session('secret')}"}
    page = world.http.get(f"{world.url}/accounts/account1", headers=signed_in, timeout=20)
    assert page.status_code == 200
    return page.text


@pytest.fixture
def everywhere(world: World, request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """A text wherever others can put one, and every page that shows it."""
    theirs = str(request.param)
    with world.store.write() as tx:
        tx.execute(update(account).values(name=theirs))
        tx.execute(update(contact).values(name=theirs))
    token = world.invite(name=theirs, label=theirs, owner_name=theirs, customer_label=theirs)
    world.open_follow_up(subject=theirs)
    survey = world.get(token).text
    world.post(token, {"rating": "2", "comment": "hello"})
    wait_until(lambda: bool(world.responses()))
    return theirs, [survey, account_page(world)]


@pytest.mark.parametrize("everywhere", [TURNED], indirect=True)
def test_no_mark_of_others_turns_our_words(everywhere: tuple[str, list[str]]) -> None:
    _, pages = everywhere
    for page in pages:
        assert "Evil Corp" in page
        assert not {"\u202e", "\u2067"} & set(page)


@pytest.mark.parametrize("everywhere", [ARABIC], indirect=True)
def test_a_name_in_arabic_stands_apart_from_our_dates(everywhere: tuple[str, list[str]]) -> None:
    theirs, pages = everywhere
    for page in pages:
        assert page.count(theirs) == page.count(f"\u2068{theirs}\u2069") > 0


def test_words_are_shown_in_their_own_direction(world: World) -> None:
    token = world.invite()
    assert '<textarea id="comment" name="comment" dir="auto"' in world.get(token).text
    world.post(token, {"rating": "2", "comment": ARABIC})
    assert f'dir="auto">{ARABIC}' in world.get(token, "/thanks").text


def test_names_from_left_to_right_need_no_marks() -> None:
    assert isolated("Bücher & Co 日本 12") == "Bücher & Co 日本 12"
