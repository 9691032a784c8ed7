"""Pages of customers: a large book is scored and put into words as a single customer is, whatever comes in between two pages."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from beginnings import Begin, live
from databases import BOTH_DATABASES
from lap_world import CSAT, DAY, UNHAPPY, LapWorld
from sqlalchemy import update

from connector.scoring.shrinkage import Prior
from connector.stages import lap, page_size
from connector.stages.connection.reach import reached
from connector.stages.follow_up import stage as follow_up
from connector.stages.order import AFTER_AN_ANSWER
from connector.stages.score import stage as score
from connector.store import tables
from connector.store.results import scores

ASKED = "last_asked"
"""What `deliver` has written beside what scoring and presenting say."""
VALUES = ((5, 5, 4), (1, 3), (2,), (4, 4, 1), (3, 3, 4, 3), (1, 1))


def rated_book(world: LapWorld) -> None:
    """Let the people of six accounts answer, some of them badly; each has a follow-up then, and nothing is left to do."""
    live(world)
    made = [(world.account(f"Account {number}"), values) for number, values in enumerate(VALUES)]
    world.rate_all([(account, value) for account, values in made for value in values])


@pytest.fixture
def book(begin: Begin) -> LapWorld:
    return begin(rated_book)


@pytest.fixture
def paged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let all pages have the size that the test puts into the list."""
    size = [1]
    monkeypatch.setattr(
        page_size.PageSize, "rows", property(lambda _self: size[0], lambda _self, _rows: None), raising=False
    )
    return size


def results(world: LapWorld) -> Mapping[str, Any]:
    """Return what scoring and presenting left, but for when it was done."""
    published = {
        row.customer: (row.figures, row.answers_key, row.evidence) for row in world.rows(tables.customer_score)
    }
    desired = {
        row.ref: {name: value for name, value in row.desired.items() if name != ASKED}
        for row in world.rows(tables.outbox_record)
    }
    texts = {row.id: (row.state, row.subject, row.body, row.due_at) for row in world.rows(tables.follow_up)}
    return {"published": published, "desired": desired, "follow-ups": texts}


def forget_results(world: LapWorld) -> None:
    """Have everybody scored and put into words anew."""
    with world.store.write() as tx:
        stale = {"stale_at": world.clock.now(), "answers_key": None, "evidence": None}
        tx.execute(update(tables.customer_score).values(**stale))
        tx.execute(update(tables.outbox_record).values(desired={}))


def marked_customers(world: LapWorld) -> set[str]:
    return {row.customer for row in world.rows(tables.customer_score) if row.stale_at is not None}


def marked(world: LapWorld) -> int:
    return len(marked_customers(world))


@BOTH_DATABASES
def test_pages_of_any_size_come_to_the_same(book: LapWorld, paged: list[int]) -> None:
    expected = results(book)
    assert len(expected["follow-ups"]) > 2
    for size in (1, 4, 200):
        paged[0] = size
        forget_results(book)
        context = replace(lap.bare_context(book.installation), connected=connected(book))
        score.run(context)
        follow_up.run(context)
        assert marked(book) == 0
        assert results(book) == expected


def connected(world: LapWorld) -> Mapping[str, Any]:
    """Return the world's CRM as a lap reaches it."""
    report = lap.Report()
    with reached(world.installation, lap.bare_context(world.installation), report) as context:
        return context.connected


def test_a_run_that_ends_between_two_pages_is_gone_on_with(
    book: LapWorld, paged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = results(book)
    forget_results(book)
    paged[0] = 2
    present, pages = follow_up.present, []

    def fail_at_the_second(*given: Any) -> Any:
        pages.append(given)
        if len(pages) == 2:
            raise KeyboardInterrupt
        return present(*given)

    monkeypatch.setattr(follow_up, "present", fail_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        book.lap()
    assert marked(book) == len(VALUES) - 2
    monkeypatch.undo()
    book.lap()
    assert (marked(book), results(book)) == (0, expected)


def test_an_answer_that_is_scored_while_a_page_waits_is_not_overwritten(
    book: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = book.crm.all("Account")[0]["Id"]
    invitation = book.ask(account, book.crm.contact(account, "Somebody New"))
    forget_results(book)
    context = replace(lap.bare_context(book.installation), connected=connected(book))
    read, waiting = scores.stale, [True]

    def answered_meanwhile(*given: Any) -> Any:
        page = read(*given)
        if waiting and waiting.pop():
            book.answer(invitation, 1)
            score.run(context)
        return page

    monkeypatch.setattr(scores, "stale", answered_meanwhile)
    score.run(context)
    (answer,) = [row for row in book.rows(tables.response) if row.invitation_id == invitation]
    published = [row for row in book.rows(tables.score_history) if row.figures["last_answer"] == answer.at.isoformat()]
    assert len(published) == 1
    (current,) = [row for row in book.rows(tables.customer_score) if row.customer == published[0].customer]
    assert (current.figures, current.stale_at) == (published[0].figures, answer.at)


@pytest.mark.parametrize(("took", "next_page"), [(page_size.AIM_SECONDS, 40), (10.0, page_size.FEWEST), (1e-9, 80)])
def test_the_next_page_is_as_large_as_the_time_of_the_last_one_allows(
    monkeypatch: pytest.MonkeyPatch, took: float, next_page: int
) -> None:
    size, times = page_size.PageSize(), iter([5.0, 5.0 + took])
    assert size.rows == 40
    monkeypatch.setattr(page_size.time, "perf_counter", lambda: next(times))
    with size.timed(40):
        pass
    assert size.rows in (next_page, next_page - 1)  # a difference of clocks is rounded


# ── the prior ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_answer_of_a_day_is_scored_with_the_last_prior_at_once(book: LapWorld) -> None:
    book.lap(DAY)
    priors = {row.version for row in book.rows(tables.prior)}
    account = book.crm.all("Account")[0]["Id"]
    invitation = book.ask(account, book.crm.contact(account, "Early Bird"))
    before = {row.customer: row.prior_version for row in book.rows(tables.customer_score)}
    book.clock.advance(DAY)
    book.answer(invitation, 2)
    assert lap.run(book.installation, stages=AFTER_AN_ANSWER, customers=marked_customers(book)).scored == 1
    after = {row.customer: row.prior_version for row in book.rows(tables.customer_score)}
    assert {row.version for row in book.rows(tables.prior)} == priors
    assert {version for customer, version in after.items() if version != before[customer]} <= {max(priors)}
    shown, figures = book.shows(account), results(book)["published"]
    assert shown["People"] == 4
    book.lap()
    assert {row.version for row in book.rows(tables.prior)} > priors
    # The day's prior moves nobody: neither whom the last one has scored, nor the others.
    assert (book.shows(account), results(book)["published"]) == (shown, figures)


def test_the_first_answer_of_all_is_not_scored_with_a_prior_of_nobody(world: LapWorld) -> None:
    account = world.account("The first")
    invitation = world.ask(account, world.crm.contact(account, "Maria"))
    world.answer(invitation, 4)
    lap.run(world.installation, stages=AFTER_AN_ANSWER, customers=marked_customers(world))
    (used,) = {row.prior_version for row in world.rows(tables.customer_score) if row.figures}
    world.clock.advance(DAY)
    world.answer(invitation, 5)
    lap.run(world.installation, stages=AFTER_AN_ANSWER, customers=marked_customers(world))
    fitted = {row.version: Prior.from_json(row.value).accounts for row in world.rows(tables.prior)}
    (now,) = {row.prior_version for row in world.rows(tables.customer_score) if row.figures}
    assert (fitted[used], fitted[now]) == (0, 1)


@pytest.mark.parametrize("half_life", ["180d", "30d"])
def test_the_prior_is_the_same_from_what_was_kept_of_answers_as_from_the_answers(
    book: LapWorld, half_life: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.lap(40 * DAY)
    book.configure(f"{CSAT}{UNHAPPY}[scoring]\nhalf_life = '{half_life}'\n")
    account = book.crm.all("Account")[0]["Id"]
    book.answer(book.ask(account, book.crm.contact(account, "Late")), 3)
    book.lap(DAY)
    with monkeypatch.context() as patched, book.store.read() as tx:
        patched.setattr(scores, "account_evidence", None)  # nobody's answers are read
        worth = [*scores.evidence_of_all(tx, book.clock.now() + DAY, book.installation.settings.scoring.half_life)]
    assert len(worth) == len({row.customer for row in book.rows(tables.customer_score) if row.evidence})
    assert worth
    newest = max(book.rows(tables.prior), key=lambda row: row.version)
    with book.store.write() as tx:
        tx.execute(update(tables.customer_score).values(evidence=None))
        tx.execute(tables.prior.delete().where(tables.prior.c.version == newest.version))
    book.lap()
    again = max(book.rows(tables.prior), key=lambda row: row.version)
    kept, read = Prior.from_json(newest.value), Prior.from_json(again.value)
    assert (kept.accounts, kept.kappa) == (read.accounts, pytest.approx(read.kappa))
    assert kept.log_weights == pytest.approx(read.log_weights, abs=1e-6)
