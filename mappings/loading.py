"""Reading a mapping file. Everything that is wrong with it is reported at once."""

import re
import tomllib
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from string import Formatter

from connector.domain.toml_slips import slip
from connector.errors import Problem, SettingsError
from connector.model import CUSTOMER_LABEL
from mappings.binding import MappingFile
from mappings.grammar import WON_DEAL_WITHIN, a_field, customers, ended, facts, some_fields, tests, write_map
from mappings.spec import (
    WON,
    AccountMap,
    ContactMap,
    FieldMap,
    InteractionMap,
    OwnerMap,
    Spec,
    TaskMap,
    WonDeal,
    WriteMap,
    fields_read,
)
from mappings.toml_reader import NAME, TomlTable, did_you_mean

ACCOUNT = (
    *("satisfaction", "low", "high", "mood", "people", "summary", "attention", "nps", "csat", "ces", "trend"),
    *("last_answer", "details"),
)
CONTACT = ("last_rating", "last_asked", "no_surveys")
TASK = (
    *("key", "outcome", "cause", "subject", "body", "type", "priority", "status", "due", "due_at"),
    *("owner", "contact", "account"),
)
WRITTEN = {"account": ACCOUNT, "contact": CONTACT, "task": TASK}
"""Our names for what is written, by target. A mapping may leave out any of them but the tasks' key."""

_RESERVED = frozenset({"owner", "account", "contact", "task"})


def packaged(name: str) -> str:
    """Return the text of a default mapping, e.g. ``salesforce``. `FileNotFoundError`: there is none of this name."""
    return (files("mappings") / f"{name}.toml").read_text(encoding="utf-8")


def load(source: Path | str, name: str = "", *, default: str | None = None) -> MappingFile:
    """Return a mapping from a file, or from text. `name` stands in messages; it is the path when left out.

    `default`: the text of the packaged mapping, which says who is a user of the firm's own where the file, an older copy, does not.
    `SettingsError` carries every problem of the file.
    """
    name = name or (str(source) if isinstance(source, Path) else "mapping")
    problems: list[Problem] = []
    text = ""
    try:
        text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
        root = TomlTable(tomllib.loads(text), "", name, problems)
    except tomllib.TOMLDecodeError as error:
        if found := slip(text, str(error)):
            raise SettingsError([Problem(f"{name}: {found.key}", found.what, found.remedy)]) from None
        raise SettingsError([Problem(name, f"is not TOML: {_told(str(error))}.", "Put that line right.")]) from None
    except UnicodeDecodeError:
        raise SettingsError([Problem(name, "is not UTF-8.", "Save it as UTF-8.")]) from None
    except OSError as error:
        remedy = "Name an existing file, or run `afterword init`."
        raise SettingsError([Problem(name, f"cannot be read: {error.strerror}.", remedy)]) from None
    spec = _spec(root)
    if problems:
        raise SettingsError(problems)
    if spec.owner.standard is None and default is not None:
        spec = _with_standard(spec, load(default).spec)
    return MappingFile(name, spec)


def _with_standard(spec: Spec, default: Spec) -> Spec:
    """Without it, partners and customers who have a login would be taken for colleagues."""
    if spec.owner.object != default.owner.object:
        return spec
    return replace(spec, owner=replace(spec.owner, standard=default.owner.standard))


def _told(message: str) -> str:
    """The parser's words, with a table that is there already as the file has it: it tells Python's tuple of the names."""
    return re.sub(r"Cannot declare \((.*?),?\) twice", lambda twice: f"[{_dotted(twice[1])}] stands twice", message)


def _dotted(names: str) -> str:
    return ".".join(name.strip("'\"") for name in names.split(", "))


def _spec(root: TomlTable) -> Spec:
    spec = Spec(
        owner=_owner(_section(root, "owner")),
        account=_account(_section(root, "account")),
        contact=_contact(_section(root, "contact")),
        task=_task(_section(root, "task")),
        interactions=_interactions(root),
        write=_writes(root),
    )
    root.done()
    _check_ownership(root, spec)
    _check_related(root, spec)
    _check_customers(root, spec)
    return spec


def _check_customers(root: TomlTable, spec: Spec) -> None:
    """Deals can tell who is a customer only where the mapping reads deals that are won."""
    if isinstance(spec.account.is_customer, WonDeal) and not spec.winnable:
        what = f"counts what ended by the event {WON!r}, and no kind of interaction ends by it."
        remedy = f'Give a kind of deal ended = {{ event = "{WON}", … }}, or drop {WON_DEAL_WITHIN}.'
        root.problem("account.is_customer", what, remedy)


def _check_ownership(root: TomlTable, spec: Spec) -> None:
    """What the mapping reads belongs to others: writing it would overwrite what people keep there."""
    for target, section in (("account", spec.account), ("contact", spec.contact)):
        read = {one.path: one.key for one in fields_read(section)}
        for one in spec.write[target]:
            if one.path in read and one.name != "no_surveys":
                what = f"would write {one.path}, which is read as {read[one.path].removesuffix('.field')}."
                root.problem(one.key, what, "Give it a field of its own.")


def _check_related(root: TomlTable, spec: Spec) -> None:
    kinds = [one.kind for one in spec.interactions]
    for kind in spec.task.related:
        if kind not in kinds:
            root.problem("task.related", f"names no kind of interaction: {kind!r}.", did_you_mean(kind, kinds))


def _section(root: TomlTable, key: str) -> TomlTable:
    if key not in root.data:
        root.has(key)
        root.problem(key, "is missing.", f"Add the table [{key}]; the default mapping shows how.")
        return TomlTable({}, key, root.file, [])
    return root.table(key) or TomlTable({}, key, root.file, [])


def _owner(table: TomlTable) -> OwnerMap:
    found = OwnerMap(
        object=table.text("object", required=True),
        name=some_fields(table, "name", required=True),
        email=a_field(table, "email"),
        active=tests(table, "active"),
        standard=tests(table, "standard") if "standard" in table.data else None,
        timezone=a_field(table, "timezone"),
        manager=a_field(table, "manager"),
        where=tests(table, "where"),
    )
    table.done()
    return found


def _account(table: TomlTable) -> AccountMap:
    found = AccountMap(
        object=table.text("object", required=True),
        name=some_fields(table, "name", required=True),
        is_customer=customers(table, "is_customer"),
        owner=a_field(table, "owner"),
        parent=a_field(table, "parent"),
        link=a_field(table, "link"),
        where=tests(table, "where"),
        facts=facts(table),
    )
    table.done()
    return found


def _contact(table: TomlTable) -> ContactMap:
    found = ContactMap(
        object=table.text("object", required=True),
        name=some_fields(table, "name", required=True),
        account=some_fields(table, "account", required=True),
        email=_required_field(table, "email"),
        role=a_field(table, "role"),
        language=a_field(table, "language"),
        owner=a_field(table, "owner"),
        no_surveys=tests(table, "no_surveys"),
        bounced=tests(table, "bounced"),
        where=tests(table, "where"),
        facts=facts(table),
    )
    table.done()
    return found


def _required_field(table: TomlTable, key: str) -> FieldMap | None:
    if key not in table.data:
        table.problem(key, "is missing.", "Write the field's API name in quotes.")
    return a_field(table, key)


def _task(table: TomlTable) -> TaskMap:
    found = TaskMap(
        object=table.text("object", required=True),
        open=tests(table, "open", required=True),
        closed=a_field(table, "closed"),
        owner=a_field(table, "owner"),
        related=table.texts("related"),
        made_by=a_field(table, "made_by"),
    )
    table.done()
    return found


# ── interactions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _interactions(root: TomlTable) -> tuple[InteractionMap, ...]:
    table = root.table("interaction")
    if table is None:
        return ()
    found = []
    for kind in table.data:
        if not NAME.fullmatch(kind) or kind in _RESERVED:
            table.problem(kind, "is no name for a kind.", "Use small letters, digits and _, and none of our own words.")
        below = table.table(kind)
        if below is not None:
            found.append(_interaction(kind, below))
    return tuple(found)


def _interaction(kind: str, table: TomlTable) -> InteractionMap:
    found = InteractionMap(
        kind=kind,
        object=table.text("object", required=True),
        label=table.text("label") or kind,
        ended=ended(table),
        optional=table.flag("optional"),
        account=some_fields(table, "account"),
        contact=some_fields(table, "contact"),
        owner=a_field(table, "owner"),
        updated=a_field(table, "updated"),
        where=tests(table, "where"),
        facts=facts(table),
        updated_by=a_field(table, "updated_by"),
        customer_label=table.text(CUSTOMER_LABEL) or None,
    )
    for key, template in (("label", found.label), (CUSTOMER_LABEL, found.customer_label or "")):
        _check_label(table, key, template, found)
    table.done()
    return found


def _check_label(table: TomlTable, key: str, template: str, interaction: InteractionMap) -> None:
    known = [name for name, _ in interaction.facts]
    try:
        named = [part[1] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError:
        table.problem(key, f"is {template!r}.", "Write a fact's name in each pair of braces.")
        return
    for name in named:
        if name not in known:
            table.problem(key, f"names a fact that is not there: {name!r}.", did_you_mean(name, known))


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


def _writes(root: TomlTable) -> dict[str, tuple[WriteMap, ...]]:
    table = root.table("write") or TomlTable({}, "write", root.file, root.problems)
    found = {target: _target(table, target, known) for target, known in WRITTEN.items()}
    if all(one.name != "key" for one in found["task"]):
        table.problem("task.key", "is missing.", "Follow-up tasks are found again by it: give it a field.")
    table.done()
    return found


def _target(write: TomlTable, target: str, known: tuple[str, ...]) -> tuple[WriteMap, ...]:
    table = write.table(target)
    if table is None:
        return ()
    found = [one for name in known if name in table.data and (one := write_map(table, name))]
    for name in table.data:
        if name not in known:
            table.problem(name, "is nothing that we write.", did_you_mean(name, list(known)))
    for path, times in Counter(one.path for one in found).items():
        if times > 1:
            table.problem("", f"writes {path} {times} times.", "Give each of our names a field of its own.")
    return tuple(found)
