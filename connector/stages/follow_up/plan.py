"""What `follow_up` does for one customer: pure, values in, steps out.

One open follow-up for each person who is unhappy, and one for the account as a whole. The first rule in the file's order that holds
makes it; later ones raise its priority and stand in its text, as does every further bad answer of the same person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connector.domain.follow_up_rules import Rule, matches
from connector.model import Mood
from connector.model.score import Figures
from connector.model.stored import StoredAccount
from connector.scoring.scales import Band, band, worst
from connector.sentences.clauses import badness
from connector.sentences.content import NamedResponse
from connector.settings.model import FollowUpRule
from connector.stages.score.plan import BY_SETTINGS
from connector.store.results.follow_up_facts import JudgedResponse

TOO_OLD = timedelta(days=7)
"""Ratings older than this open no follow-up: a call about last month's case is worse than none."""
IMPORTED = "import"
ACCOUNT = ""
"""Stands for the person where a follow-up is about the account as a whole, and where nobody knows who answered."""


@dataclass(frozen=True, slots=True)
class Unclosed:
    """A follow-up that is open, or waits for an outcome."""

    id: str
    person: str
    rules: frozenset[str]
    newest: datetime | None = None
    """When the newest of its answers came."""
    invitations: frozenset[str] = frozenset()
    """What these were answers to."""


@dataclass(frozen=True, slots=True)
class Customer:
    """What rules look at. `opened` tells, for each rule, when it last came to hold here."""

    id: str
    answers: Sequence[JudgedResponse]
    figures: Figures | None
    silence: int = 0
    last_answer: datetime | None = None
    opened: Mapping[str, datetime] = field(default_factory=dict)
    follow_ups: Sequence[Unclosed] = ()
    accounts: Sequence[StoredAccount] = ()
    """Over all connections, deleted ones left out."""

    @property
    def mood(self) -> Mood:
        """The published mood."""
        return Mood.TOO_FEW if self.figures is None else self.figures.mood

    def follow_up_about(self, person: str) -> Unclosed | None:
        """Return the follow-up about a person that is not closed."""
        return next((follow_up for follow_up in self.follow_ups if follow_up.person == person), None)


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one person, or about the account."""

    person: str
    joins: str | None
    """The follow-up that takes it up; None: one is opened."""
    rules: tuple[str, ...] = ()
    """Those that hold, in the file's order: the first one makes it."""
    answers: tuple[JudgedResponse, ...] = ()
    """The worst first."""
    about_account: bool = False
    """Whether a rule about the account as a whole holds."""
    settled_by: JudgedResponse | None = None
    """A later good answer of the same person, which closes it."""


@dataclass(slots=True)
class _Need:
    """What has come up about one person so far."""

    rules: set[str] = field(default_factory=set)
    answers: list[JudgedResponse] = field(default_factory=list)
    about_account: bool = False


def plan(
    customer: Customer, rules: Mapping[str, FollowUpRule], live: Mapping[str, Mapping[str, datetime]], now: datetime
) -> list[Step]:
    """Return what is due for a customer.

    `live` tells for each rule since when it is live, by connection: nothing that happened before opens anything.
    """
    needs: dict[str, _Need] = {}
    for answer in customer.answers:
        held = _rules_of(answer, customer, rules, live=live, now=now)
        if held:
            need = needs.setdefault(answer.person, _Need())
            need.rules.update(held)
            need.answers.append(answer)
    for name, rule in rules.items():
        if not rule.when.on_ratings and _account_needs(name, rule.when, customer, live.get(name, {})):
            need = needs.setdefault(ACCOUNT, _Need())
            need.rules.add(name)
            need.about_account = True
    steps = [_step(customer, person, need, rules) for person, need in needs.items()]
    return [*steps, *_closings(customer, {step.person for step in steps})]


def _step(customer: Customer, person: str, need: _Need, rules: Mapping[str, FollowUpRule]) -> Step:
    known = customer.follow_up_about(person)
    answers = tuple(_worst_first(need.answers))
    # Of a rule that is in the file no more nothing is known but its name: it comes last.
    order = [*(name for name in rules if name in need.rules), *sorted(need.rules - set(rules))]
    step = Step(person, known.id if known else None, tuple(order), answers, need.about_account)
    return replace(step, settled_by=_settling(customer, step, known))


# ── one person's answers ─────────────────────────────────────────────────────────────────────────────────────────────


def _rules_of(
    answer: JudgedResponse,
    customer: Customer,
    rules: Mapping[str, FollowUpRule],
    *,
    live: Mapping[str, Mapping[str, datetime]],
    now: datetime,
) -> list[str]:
    """Return the rules by which an answer needs somebody; none where it was looked at, or is in a follow-up.

    An answer that is owed a follow-up has opened one already, and gets its own whatever its age, and though no rule held any more.
    """
    if answer.owed_by is None and (answer.considered or answer.placed or answer.source == IMPORTED):
        return []
    held = [
        name
        for name, rule in rules.items()
        if rule.when.on_ratings
        and (answer.owed_by is not None or _is_fresh(answer, live.get(name, {}), now))
        and matches(rule.when, ratings=answer.response.ratings, mood=customer.mood, silence=customer.silence)
    ]
    if held:
        return held
    if answer.owed_by is not None:
        return [answer.owed_by]
    return _rules_that_listen(answer, customer, live, now)


def _rules_that_listen(
    answer: JudgedResponse, customer: Customer, live: Mapping[str, Mapping[str, datetime]], now: datetime
) -> list[str]:
    """Return the rules of the follow-up about whoever gave a bad answer, though none of them is about this one.

    Whoever calls should know of it.
    """
    known = customer.follow_up_about(answer.person) if answer.person != ACCOUNT else None
    if known is None or band(worst(answer.response.ratings)) is not Band.BAD:
        return []
    return [name for name in known.rules if _is_fresh(answer, live.get(name, {}), now)]


def _is_fresh(answer: JudgedResponse, live: Mapping[str, datetime], now: datetime) -> bool:
    since = live.get(answer.response.connection)
    return since is not None and answer.response.at >= max(since, now - TOO_OLD)


def with_worst_rating(response: NamedResponse) -> NamedResponse:
    """Return an answer told by the worst of its ratings: the one that somebody must call about."""
    return replace(response, rating=response.worst)


def _worst_first(answers: Iterable[JudgedResponse]) -> list[JudgedResponse]:
    """Order answers: a task is about the worst of them, and of equal ones about the newest, as all that tells of it is."""
    newest_first = sorted(answers, key=lambda answer: (answer.response.at, answer.response.response_id), reverse=True)
    return sorted(newest_first, key=lambda answer: badness(answer.response.worst))


# ── a later good answer ──────────────────────────────────────────────────────────────────────────────────────────────


def _closings(customer: Customer, touched: set[str]) -> Iterator[Step]:
    for known in customer.follow_ups:
        if known.person in touched:
            continue
        step = Step(known.person, known.id)
        settling = _settling(customer, step, known)
        if settling is not None:
            yield replace(step, settled_by=settling)


def _settling(customer: Customer, step: Step, known: Unclosed | None) -> JudgedResponse | None:
    """Return the good answer by which a person has made a follow-up needless: a later one, to another invitation.

    What was looked at before closes nothing that was open then: somebody may have opened it again on purpose.
    """
    if step.person == ACCOUNT:
        return None
    invitations = {answer.invitation_id for answer in step.answers} | (known.invitations if known else set())
    moments = [answer.response.at for answer in step.answers] + ([known.newest] if known and known.newest else [])
    if not moments:
        return None
    for answer in customer.answers:
        is_news = not answer.considered or known is None
        is_theirs = answer.person == step.person and answer.response.at > max(moments)
        is_another = answer.invitation_id is None or answer.invitation_id not in invitations
        if is_news and is_theirs and is_another and is_good(answer):
            return answer
    return None


def is_good(answer: JudgedResponse) -> bool:
    """Tell whether an answer makes a call needless that was to be made because of earlier ones."""
    counts = answer.counts and answer.source != IMPORTED
    return counts and band(worst(answer.response.ratings)) is Band.GOOD


# ── the account as a whole ───────────────────────────────────────────────────────────────────────────────────────────


def _account_needs(name: str, rule: Rule, customer: Customer, live: Mapping[str, datetime]) -> bool:
    if rule.on_mood and not _mood_is_news(name, customer, live):
        return False
    if rule.on_silence and not _silence_is_news(name, customer):
        return False
    return bool(live) and matches(rule, ratings=(), mood=customer.mood, silence=customer.silence)


def _mood_is_news(name: str, customer: Customer, live: Mapping[str, datetime]) -> bool:
    """A mood opens one follow-up for each time it begins; one that a changed setting has given is no event."""
    figures, opened = customer.figures, customer.opened.get(name)
    if figures is None or not live or figures.mood_by == BY_SETTINGS:
        return False
    since = figures.mood_since
    return since is not None and since >= min(live.values()) and (opened is None or opened < since)


def _silence_is_news(name: str, customer: Customer) -> bool:
    """A silence opens one follow-up; the next one needs an answer in between."""
    opened = customer.opened.get(name)
    return opened is None or (customer.last_answer is not None and opened < customer.last_answer)
