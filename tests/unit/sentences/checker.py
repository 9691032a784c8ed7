"""A reader who knows the facts: takes Needs attention and What they say apart by the catalogue's patterns, and judges each clause.

Nothing of the product is used for it but the text of the messages: words of ratings, dates and the order of what is worse are the
checker's own.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).resolve().parents[3] / "connector" / "sentences" / "languages"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MOST = 255
QUOTES = "[“”„\"']"
"""Marks that may stand for each other in what is quoted."""

WORDS: dict[str, dict[tuple[str, int], str]] = {
    "en": {
        ("csat", 1): "1 of 5, very dissatisfied",
        ("csat", 2): "2 of 5, dissatisfied",
        ("csat", 3): "3 of 5, neutral",
        ("csat", 4): "4 of 5, satisfied",
        ("csat", 5): "5 of 5, very satisfied",
        ("ces", 1): "1 of 7, very difficult",
        ("ces", 3): "3 of 7, somewhat difficult",
        ("ces", 4): "4 of 7, neither easy nor difficult",
        ("ces", 7): "7 of 7, very easy",
        ("nps", 0): "0 of 10, unlikely to recommend",
        ("nps", 6): "6 of 10, unlikely to recommend",
        ("nps", 8): "8 of 10, might recommend",
        ("nps", 10): "10 of 10, likely to recommend",
        ("speed", 1): "speed 1 of 5, very poor",
        ("speed", 2): "speed 2 of 5, poor",
    },
    "fi": {
        ("csat", 1): "1/5, erittäin tyytymätön",
        ("csat", 2): "2/5, tyytymätön",
        ("csat", 3): "3/5, neutraali",
        ("csat", 4): "4/5, tyytyväinen",
        ("csat", 5): "5/5, erittäin tyytyväinen",
        ("ces", 1): "1/7, erittäin hankalaa",
        ("ces", 3): "3/7, hieman hankalaa",
        ("ces", 4): "4/7, ei helppoa eikä hankalaa",
        ("ces", 7): "7/7, erittäin helppoa",
        ("nps", 0): "0/10, tuskin suosittelisi",
        ("nps", 6): "6/10, tuskin suosittelisi",
        ("nps", 8): "8/10, ehkä suosittelisi",
        ("nps", 10): "10/10, suosittelisi",
        ("speed", 1): "nopeus 1/5, erittäin huono",
        ("speed", 2): "nopeus 2/5, huono",
    },
}
BADNESS = {
    ("csat", 1): (0, 0.0),
    ("csat", 2): (0, 0.25),
    ("csat", 3): (1, 0.5),
    ("csat", 4): (2, 0.75),
    ("csat", 5): (2, 1.0),
    ("ces", 1): (0, 0.0),
    ("ces", 3): (0, 1 / 3),
    ("ces", 4): (1, 0.5),
    ("ces", 7): (2, 1.0),
    ("nps", 0): (0, 0.0),
    ("nps", 6): (0, 0.6),
    ("nps", 8): (1, 0.8),
    ("nps", 10): (2, 1.0),
    ("speed", 1): (0, 0.0),
    ("speed", 2): (0, 0.25),
}
"""How bad an answer is: its band, and its place between the ends of its scale. The lowest is the worst."""


@dataclass(frozen=True)
class AnswerFact:
    """What somebody answered."""

    key: str
    person: str
    rating: tuple[str, int]
    label: str
    subject: str
    comment: str
    at: datetime


@dataclass(frozen=True)
class FollowUpFact:
    """What has been or is to be done about somebody, or about the account (no answers)."""

    person: str
    answers: tuple[AnswerFact, ...]
    owner: str
    opened: datetime
    due: datetime
    waiting_since: datetime | None = None
    deleted: bool = False
    attempts: int = 0
    silence: int = 0
    """How often the account was asked in vain; with no answers and no silence it is about its mood."""

    @property
    def order(self) -> tuple[bool, tuple[int, float]]:
        return self.waiting_since is not None, min((BADNESS[one.rating] for one in self.answers), default=(3, 0.0))


@dataclass(frozen=True)
class Facts:
    """All that is true at one moment."""

    answers: tuple[AnswerFact, ...]
    follow_ups: tuple[FollowUpFact, ...]
    asked: int
    answered: int
    now: datetime
    tz: ZoneInfo


@dataclass
class Reader:
    """Reads both fields in one language; whatever is not true, or not whole, is a problem."""

    facts: Facts
    language: str
    problems: list[str] = field(default_factory=list)
    led: list[FollowUpFact] = field(default_factory=list)
    named: list[FollowUpFact] = field(default_factory=list)
    stepped: list[FollowUpFact] = field(default_factory=list)
    """Whose next step What they say tells."""
    quotes: list[str] = field(default_factory=list)

    # ── the two fields ──

    def attention(self, text: str) -> None:
        """Judge Needs attention."""
        self._form(text)
        if not self.facts.follow_ups:
            self._expect(text == "", "it says something though nobody needs anything")
            return
        rest = self._mask(text)
        match = re.match(rf"(?P<what>.+?); (?P<step>{self._steps()})\.(?P<rest>.*)$", rest)
        if match is None:
            self.problems.append(f"the lead cannot be read: {text!r}")
            return
        lead = self._open(match["what"], match["step"])
        self.led.append(lead) if lead else self.problems.append(f"nobody fits the lead: {text!r}")
        if lead:
            better = [one for one in self.facts.follow_ups if one.order < lead.order]
            self._expect(not better, f"something worse is open than what leads: {text!r}")
        self._also(match["rest"], text)

    def summary(self, text: str) -> None:
        """Judge What they say. Comes after `attention`."""
        self._form(text)
        self.quotes.clear()
        rest = self._without_tail(self._mask(text))
        first = True
        while rest:
            match = self._clause(rest)
            if match is None:
                self.problems.append(f"this cannot be read: {rest!r} in {text!r}")
                return
            self._judge(match, text, first=first)
            rest, first = rest[match.end() :].lstrip(" "), False

    def nobody_forgotten(self, attention: str, summary: str) -> None:
        """Everybody with an open follow-up is named in one of the fields while there is room."""
        known = [*self.led, *self.named, *self.stepped]
        missing = [one for one in self.facts.follow_ups if one not in known]
        if missing:
            self._expect(units(attention) > MOST - 90, f"there was room to name {missing[0].person}: {attention!r}")
            self._expect(units(summary) > MOST - 230, f"there was room to tell of {missing[0].person}: {summary!r}")

    # ── parts ──

    def _form(self, text: str) -> None:
        self._expect(units(text) <= MOST and len(text) <= MOST, f"too long: {text!r}")
        self._expect(not re.search(r"[{}]|None|[\x00-\x1f\u202e]|  ", text), f"something is left over: {text!r}")
        self._expect(text == text.strip(), f"white space at an end: {text!r}")

    def _mask(self, text: str) -> str:
        """Put the customers' words aside: what remains is ours, but for names and labels."""
        marks = '“([^”]*)”|"([^"]*)"' if self.language == "en" else '”([^”]*)”|"([^"]*)"'

        def aside(match: re.Match[str]) -> str:
            self.quotes.append(next(part for part in match.groups() if part is not None))
            kind = "Q" if match[0][0] in "“”" else "S"
            return f"⟦{kind}{len(self.quotes) - 1}⟧"

        masked = re.sub(marks, aside, text)
        self._expect(not re.search('[“”"]', masked), f"a quotation is left open: {text!r}")
        return masked

    def _also(self, rest: str, text: str) -> None:
        others = len(self.facts.follow_ups) - 1
        names = ""
        more = 0
        if match := re.fullmatch(" " + self._message("attention.also", names="(?P<names>.+)"), rest):
            names = match["names"]
        for form in self._forms("attention.also_more"):
            if match := re.fullmatch(" " + shape(form, names="(?P<names>.+)", n=r"(?P<n>\d+)"), rest):
                names, more = match["names"], int(match.groupdict().get("n") or 1)
        for form in self._forms("attention.only_more"):
            if match := re.fullmatch(" " + shape(form, n=r"(?P<n>\d+)"), rest):
                names, more = "", int(match.groupdict().get("n") or 1)
        figures = "|".join(re.escape(one) for one in WORDS[self.language].values())
        short = rf"(?P<who>[^()]+) \((?P<figure>{figures}|{self._reasons()})\)(?:, |$)"
        at = 0
        while at < len(names):
            match = re.match(short, names[at:])
            if match is None:
                self.problems.append(f"the others cannot be read: {names!r} in {text!r}")
                return
            self._name(match["who"], match["figure"], text)
            at += match.end()
        self._expect(len(self.named) + more == others, f"the others are counted wrongly: {text!r}")

    def _name(self, who: str, figure: str, text: str) -> None:
        for one in self.facts.follow_ups:
            shown = {
                WORDS[self.language][answer.rating] for answer in one.answers if BADNESS[answer.rating] == one.order[1]
            }
            fits = figure in shown or self._reason_is_true(figure, one)
            if one not in (*self.led, *self.named) and cut_of(who, one.person) and fits:
                self.named.append(one)
                return
        self.problems.append(f"{who} ({figure}) is nobody: {text!r}")

    def _without_tail(self, masked: str) -> str:
        asked, answered = self.facts.asked, self.facts.answered
        day = show_day(self.language, self.facts.now, self.facts.tz)
        tails = []
        if asked and self.facts.answers:
            tails = [catalogue_text(self.language, "summary.answered").format(answered=answered, asked=asked, day=day)]
        elif asked:
            form = "one" if asked == 1 else "other"
            tails = [self._forms("summary.silent", form)[0].format(n=asked, day=day)]
        for tail in tails:
            self._expect(masked.endswith(tail), f"how many were asked is not told: {masked!r}")
            masked = masked.removesuffix(tail).rstrip(" ")
        return masked

    def _clause(self, rest: str) -> re.Match[str] | None:
        """Match one sentence of What they say at the beginning of the rest."""
        step = rf"(?:; (?P<step>{self._steps()}))?"
        quote = r"(?:: (?P<quote>⟦Q\d+⟧))?"
        figures = "|".join(re.escape(one) for one in WORDS[self.language].values())
        head = rf"(?P<what>(?P<who>[^:]+?): (?:{figures}), .+?, {self._since()}?)"
        about_account = rf"(?P<what>(?P<who>[^:]+?): (?:{self._reasons()}))"
        for what in (head, about_account):
            if match := re.match(rf"{what}{quote}{step}(?:\.|(?<=⟧))(?= |$)", rest):
                return match
        return None

    def _since(self) -> str:
        """A day, with or without a word for since."""
        day = day_pattern(self.language)
        since = f"since {day}" if self.language == "en" else f"{day} lähtien"
        return rf"(?:{since}|{day})"

    def _judge(self, match: re.Match[str], text: str, *, first: bool) -> None:
        quote = self.quotes[int(match["quote"][2:-1])] if match["quote"] else None
        waits = [one for one in self.facts.follow_ups if one not in (*self.led, *self.named)]
        if match["step"] is not None:
            one = self._open(match["what"], match["step"], quote=quote)
            if one is None:
                self.problems.append(f"this is not true of anybody: {match[0]!r} in {text!r}")
                return
            self._expect(one not in self.led, f"the next step of {one.person} is told twice: {text!r}")
            self.stepped.append(one)
            if first and waits:
                self._expect(one in waits, f"whom Needs attention has no room for does not come first: {text!r}")
            return
        self._expect(not (first and waits), f"whom Needs attention has no room for does not come first: {text!r}")
        self._expect(
            any(self._is_said(match["what"], quote, answer) for answer in self.facts.answers),
            f"nobody said this: {match[0]!r}",
        )

    def _is_said(self, what: str, quote: str | None, answer: AnswerFact) -> bool:
        day = show_day(self.language, answer.at, self.facts.tz)
        figure = re.escape(WORDS[self.language][answer.rating])
        match = re.fullmatch(rf"(?P<who>[^:]+?): {figure}, (?P<topic>.+), {re.escape(day)}", what)
        if match is None or not cut_of(match["who"], answer.person):
            return False
        label = re.fullmatch(r"(?P<label>.+?)(?: ⟦[SQ](?P<subject>\d+)⟧)?", match["topic"])
        assert label is not None
        shown = re.sub(r"⟦S(\d+)⟧", lambda one: f'"{self.quotes[int(one[1])]}"', label["label"])
        subject = label["subject"] and self.quotes[int(label["subject"])]
        whole = re.sub(r"⟦S(\d+)⟧", lambda one: f'"{self.quotes[int(one[1])]}"', match["topic"])
        topic = cut_of(shown, answer.label) and (not subject or cut_of(subject, answer.subject))
        if not (topic or cut_of(whole, answer.label)):
            return False
        return quote is None or cut_of(quote, answer.comment)

    def _open(self, what: str, step: str, quote: str | None = None) -> FollowUpFact | None:
        """Return whose follow-up this is and whose next step that is: the same one's."""
        for one in self.facts.follow_ups:
            if self._step_is_true(step, one) and self._what_is_true(what, one, quote):
                return one
        return None

    def _what_is_true(self, what: str, one: FollowUpFact, quote: str | None) -> bool:
        if not one.answers:
            who, _, reason = what.partition(": ")
            return cut_of(who, one.person) and self._reason_is_true(reason, one)
        more = len(one.answers) - 1
        forms = self._forms("attention.more", "one" if more == 1 else "other")
        ending = forms[0].format(n=more) if more else ""
        worst = min(BADNESS[answer.rating] for answer in one.answers)
        first = show_day(self.language, min(answer.at for answer in one.answers), self.facts.tz)
        ending += f", since {first}" if self.language == "en" else f", {first} lähtien"
        return what.endswith(ending) and any(
            BADNESS[answer.rating] == worst
            and self._is_said(
                f"{what.removesuffix(ending)}, {show_day(self.language, answer.at, self.facts.tz)}", quote, answer
            )
            for answer in one.answers
        )

    def _reason_is_true(self, reason: str, one: FollowUpFact) -> bool:
        day = show_day(self.language, one.opened, self.facts.tz)
        if one.answers:
            return False
        if one.silence:
            forms = self._forms("reason.silence", "one" if one.silence == 1 else "other")
            return reason == forms[0].format(n=one.silence, day=day)
        mood = catalogue_text(self.language, "mood.Unhappy")
        return reason == catalogue_text(self.language, "reason.mood").format(mood=mood, day=day)

    def _step_is_true(self, step: str, one: FollowUpFact) -> bool:
        tz, language = self.facts.tz, self.language
        overdue = one.due <= self.facts.now
        if one.waiting_since is not None:
            key = "deleted" if one.deleted else "completed"
            day = show_day(language, one.waiting_since, tz)
        elif overdue:
            key, day = "overdue", show_day(language, one.due, tz)
        else:
            day = ""
            key = ("call_again" if one.attempts else "call") if one.owner else "unassigned"
        if not one.owner and key != "unassigned":
            key += "_unassigned"
        owner = "(?P<owner>.+?)"
        match = re.fullmatch(
            shape(
                catalogue_text(language, f"step.{key}"),
                owner=owner,
                day=re.escape(day),
                when=re.escape(show_time(language, one.due, tz)),
            ),
            step,
        )
        return match is not None and (not one.owner or cut_of(match["owner"], one.owner))

    # ── patterns ──

    def _steps(self) -> str:
        keys = [key for key in messages(self.language) if key.startswith("step.")]
        day, when = day_pattern(self.language), time_pattern(self.language)
        return "|".join(shape(catalogue_text(self.language, key), owner="[^;]+?", day=day, when=when) for key in keys)

    def _reasons(self) -> str:
        day = day_pattern(self.language)
        mood = shape(catalogue_text(self.language, "reason.mood"), mood=r"\w+", day=day)
        return "|".join([mood, *(shape(form, n=r"\d+", day=day) for form in self._forms("reason.silence"))])

    def _message(self, key: str, **groups: str) -> str:
        return shape(catalogue_text(self.language, key), **groups)

    def _forms(self, key: str, form: str = "") -> list[str]:
        forms = messages(self.language)[key]
        return [forms[form]] if form else list(forms.values())

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def judge(facts: Facts, language: str, attention: str, summary: str) -> list[str]:
    """Return all that is not true, not whole or forgotten in the two fields."""
    reader = Reader(facts, language)
    reader.attention(attention)
    reader.summary(summary)
    reader.nobody_forgotten(attention, summary)
    return reader.problems


def units(text: str) -> int:
    """What CRMs count: UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def cut_of(shown: str, whole: str) -> bool:
    """Whether a text is another one as a field can show it: on one line, marks within quotations changed, and perhaps cut."""
    plain = re.sub(QUOTES, "’", " ".join(re.sub("[\x00\u202e]", "", whole).split()))
    seen = re.sub(QUOTES, "’", shown)
    if seen == plain:
        return True
    kept = seen.removesuffix("…")
    return seen.endswith("…") and plain.startswith(kept) and len(kept) < len(plain)


def show_day(language: str, at: datetime, tz: ZoneInfo) -> str:
    at = at.astimezone(tz)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}" if language == "en" else f"{at.day}.{at.month}.{at.year}"


def show_time(language: str, at: datetime, tz: ZoneInfo) -> str:
    at = at.astimezone(tz)
    if language == "en":
        return f"{at.day} {MONTHS[at.month - 1]} {at:%H:%M}"
    return f"{at.day}.{at.month}. klo {at.hour}.{at:%M}"


def day_pattern(language: str) -> str:
    return r"\d+ [A-Z][a-z]{2} \d{4}" if language == "en" else r"\d+\.\d+\.\d{4}"


def time_pattern(language: str) -> str:
    return r"\d+ [A-Z][a-z]{2} \d\d:\d\d" if language == "en" else r"\d+\.\d+\. klo \d+\.\d\d"


def shape(message: str, **groups: str) -> str:
    """Return the pattern of a message: each placeholder as the group that is given for it."""
    parts = re.split(r"\{(\w+)\}", message)
    return "".join(re.escape(part) if number % 2 == 0 else groups[part] for number, part in enumerate(parts))


@cache
def messages(language: str) -> Mapping[str, Any]:
    def flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for key, value in table.items():
            if (isinstance(value, dict) and "other" not in value) or (prefix == "" and isinstance(value, dict)):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    return dict(flat(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8")), ""))


def catalogue_text(language: str, key: str) -> str:
    return str(messages(language)[key])
