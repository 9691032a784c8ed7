"""docs/configuration.md and config.example.toml tell the truth: every key, and no other."""

import re
import tomllib
from datetime import time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, SecretStr

from adapters.hubspot.config import HubSpotConfig
from adapters.salesforce.config import SalesforceConfig
from connector.app.adapter_packages import installed_adapters
from connector.domain.durations import format_duration
from connector.domain.working_time import Window
from connector.settings import AccountCap, Listen, load
from connector.settings.keys import KEYS as OWN_KEYS
from connector.settings.keys import NAMED, Key, Loc, adapter_keys, general
from connector.settings.model import Connection, FollowUpRule, Settings, Survey

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config.example.toml"
DOCS = ROOT / "docs" / "configuration.md"
CONFIGS = (SalesforceConfig, HubSpotConfig)
KEYS = OWN_KEYS | {loc: key for config in CONFIGS for loc, key in adapter_keys(config).items()}
MODELS: dict[str, type[BaseModel]] = {"crm": Connection, "surveys": Survey, "follow_up": FollowUpRule}


class Row(NamedTuple):
    type: str
    default: str
    meaning: str
    variable: str


def documented() -> dict[Loc, Row]:
    rows: dict[Loc, Row] = {}
    table: Loc = ()
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## \[(.+)\]", line):
            table = tuple(heading[1].split("."))
        if row := re.fullmatch(r"\| `(\w+)` \|(.*)\|(.*)\|(.*)\|(.*)\|", line):
            rows[table if table in KEYS else (*table, row[1])] = Row(*(cell.strip() for cell in row.groups()[1:]))
    return rows


def exemplified() -> set[Loc]:
    """The keys of the example, those behind a "# " too."""
    found: set[Loc] = set()
    table: Loc = ()
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"(?:# )?\[([a-z_.-]+)\]", line):
            table = tuple(heading[1].split("."))
            found |= {table} & set(KEYS)
        elif table not in KEYS and (key := re.match(r"(?:# )?([a-z_]+) = ", line)):
            found.add(general((*table, key[1])))
    return found


def default_of(loc: Loc) -> Any:
    if loc not in OWN_KEYS:
        defaults = [_default(config, loc) for config in CONFIGS if loc in adapter_keys(config)]
        return defaults[0] if all(str(default) == str(defaults[0]) for default in defaults) else None
    return _default(MODELS.get(loc[0]) or Settings, loc)


def _default(model: Any, loc: Loc) -> Any:
    for part in loc[2 if loc[0] in NAMED else 0 :]:
        infos = {info.alias or name: info for name, info in model.model_fields.items()}
        info = infos[part]
        models = [
            kind
            for kind in (info.annotation, *getattr(info.annotation, "__args__", ()))
            if hasattr(kind, "model_fields")
        ]
        model = models[0] if models else info
    return "required" if model.is_required() else model.get_default(call_default_factory=True, validated_data={})


def as_written(default: Any) -> str:
    match default:
        case "required" | None | "":
            return default or "none"
        case timedelta():
            text = format_duration(default)
        case Enum():
            text = default.value
        case SecretStr():
            text = default.get_secret_value()
        case Listen(host, port):
            text = f"{host}:{port}"
        case AccountCap(people, window):
            text = f"{people} per {format_duration(window)}"
        case time():
            text = f"{default:%H:%M}"
        case Window(always=True):
            text = "any"
        case tuple():
            text = "[" + ", ".join(f'"{value}"' for value in default) + "]"
        case float() if default > 1:
            text = f"{default:g}"
        case _:
            text = str(default)
    return f"`{text}`"


def test_every_key_is_documented_and_no_other() -> None:
    assert set(documented()) == set(KEYS)


def test_every_key_is_in_the_example_and_no_other() -> None:
    files = {(*loc[:-1], f"{loc[-1]}_file") for loc, key in KEYS.items() if key.secret}
    assert exemplified() - files == set(KEYS)
    assert files <= exemplified()


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: ".".join(key.loc))
def test_the_documented_default_variable_and_secrecy_are_the_real_ones(key: Key) -> None:
    row = documented()[key.loc]
    assert row.variable == f"`{key.variable}`"
    assert row.default == ("when live" if key.loc == ("web", "secret") else as_written(default_of(key.loc)))
    assert ("secret" in row.type) is key.secret


def test_a_choice_is_documented_with_every_word_it_takes() -> None:
    for loc, row in documented().items():
        default = default_of(loc)
        if isinstance(default, Enum):
            assert all(f"`{choice.value}`" in row.meaning for choice in type(default)), loc


def test_the_example_is_valid_as_it_is() -> None:
    settings = load(EXAMPLE, environ={}, adapters=installed_adapters())
    assert not settings.is_live


def test_the_example_with_its_optional_lines_is_valid_too(tmp_path: Path) -> None:
    """Every line behind a "# " is taken in, one way of doing a thing at a time."""
    lines = [
        re.sub(r'^# (?=\[|[a-z_]+ = |")', "", line)
        for line in EXAMPLE.read_text(encoding="utf-8").splitlines()
        if not re.match(r"# (\w+_file|password|mapping|ca_bundle) = ", line) or "hubspot-token" in line
    ]
    text = "\n".join(lines).replace('mode = "observe"', 'mode = "live"')
    (tmp_path / "hubspot-token.txt").write_text("t")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    settings = load(tmp_path / "config.toml", environ={}, adapters=installed_adapters())
    assert settings.is_live
    assert settings.email is not None
    assert settings.email.oauth is not None
    assert set(settings.crm) == {"acme", "acme-hub"}


def test_what_the_example_shows_is_the_default_wherever_there_is_one() -> None:
    shown = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    own = {"internal_domains", "timezone"}
    for loc in [loc for loc in KEYS if loc[0] in {"store", "limits", "scoring", "schedule"} and loc[-1] not in own]:
        value = shown[loc[0]][loc[1]]
        assert as_written(default_of(loc)) == f"`{value}`", loc
