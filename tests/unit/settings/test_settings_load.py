"""What a config.toml and an environment come to."""

import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from connector.app.adapter_packages import installed_adapters
from connector.commands.init import write_project
from connector.domain.follow_up_rules import MoodClause
from connector.errors import Problem, SettingsError
from connector.model import Mood
from connector.settings import (
    AccountCap,
    Audience,
    Listen,
    Metric,
    Mode,
    Security,
    Sender,
    SendingWindow,
    Settings,
    load,
)

KEY = "k" * 40
HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "pat-na1-0123456789"\n'
LIVE = f"""
[web]
public_url = "https://feedback.acme.example/"
secret = "{KEY}"
[email]
host = "smtp.acme.example"
from = "Acme Care <care@acme.example>"
[surveys.after-case]
on = "case.closed"
[crm.acme]
adapter = "salesforce"
mode = "live"
url = "https://acme.my.salesforce.com"
auth = "client_credentials"
client_id = "abc"
client_secret = "def-secret-ghi"
"""
Read = Callable[..., Settings]
Refused = Callable[..., tuple[Problem, ...]]


def test_one_token_is_enough_to_observe(read: Read) -> None:
    settings = read(HUB)
    hub = settings.connection("hub")
    assert (hub.mode, hub.mapping) == (Mode.OBSERVE, None)
    assert (hub.config.url, hub.config.auth) == ("https://api.hubapi.com", "token")
    assert hub.config.access_token == SecretStr("pat-na1-0123456789")
    assert not settings.is_live
    assert settings.email is None


def test_what_is_left_out_has_its_default(read: Read) -> None:
    settings = read(HUB)
    limits, scoring = settings.limits, settings.scoring
    assert (limits.quiet_period, limits.minimum_gap) == (timedelta(days=90), timedelta(hours=24))
    assert (limits.account_cap, limits.daily_sends) == (AccountCap(3, timedelta(days=30)), 200)
    assert (limits.sending_window, limits.internal_domains) == (SendingWindow(), ())
    assert (scoring.half_life, scoring.minimum, scoring.write_step) == (timedelta(days=180), 3, 3)
    assert (scoring.unhappy_below, scoring.happy_above, scoring.widest) == (50, 60, 60)
    assert settings.schedule.sync == timedelta(minutes=5)
    assert settings.web.listen == Listen("127.0.0.1", 8080)


@pytest.mark.parametrize(("below", "above"), [("50", 60), ("60", 60), ("65.5", 65.5), ("100", 100)])
def test_happy_begins_no_lower_than_unhappy_ends(read: Read, below: str, above: float) -> None:
    assert read(HUB + f"[scoring]\nunhappy_below = {below}\n").scoring.happy_above == above
    assert read(HUB, environ={"AFTERWORD_SCORING__UNHAPPY_BELOW": below}).scoring.happy_above == above


def test_zero_is_valid_for_every_duration(read: Read) -> None:
    text = """
[limits]
quiet_period = "0s"
minimum_gap = "0s"
account_cap = "1 per 0s"
[surveys.s]
on = "case.closed"
delay = "0s"
expires = "0s"
reminder_after = "0s"
[follow_up.f]
when = "csat <= 2"
due = "0s"
[scoring]
half_life = "0s"
[schedule]
sync = "0s"
"""
    settings = read(HUB + text)
    assert settings.limits.quiet_period == settings.schedule.sync == timedelta(0)
    assert settings.scoring.half_life > timedelta(days=300_000)


def test_a_live_connection_with_all_that_it_needs(read: Read) -> None:
    settings = read(LIVE)
    assert settings.is_live
    assert settings.connection("acme").is_live
    assert settings.web.public_url == "https://feedback.acme.example"
    assert settings.web.signing_keys == (KEY,)
    assert settings.email is not None
    assert settings.email.from_ == Sender("Acme Care", "care@acme.example")
    assert (settings.email.port, settings.email.security) == (587, Security.STARTTLS)


@pytest.mark.parametrize(
    ("keys", "security"),
    [
        ("port = 465", Security.TLS),
        ('port = 465\nsecurity = "starttls"', Security.STARTTLS),
        ("port = 25", Security.STARTTLS),
        ("", Security.STARTTLS),
    ],
)
def test_port_465_speaks_tls_from_the_first_byte(read: Read, keys: str, security: Security) -> None:
    settings = read(f'{HUB}\n[email]\nhost = "smtp.acme.example"\nfrom = "care@acme.example"\n{keys}\n')
    assert settings.email is not None
    assert settings.email.security is security


def test_port_465_may_come_from_the_environment(read: Read) -> None:
    text = f'{HUB}\n[email]\nhost = "smtp.acme.example"\nfrom = "care@acme.example"\n'
    settings = read(text, environ={"AFTERWORD_EMAIL__PORT": "465"})
    assert settings.email is not None
    assert settings.email.security is Security.TLS


def test_a_survey(read: Read) -> None:
    table = """
[surveys.after-case]
on = "case.closed"
audience = "everyone"
where = { priority = ["High", "Medium"], region = "EMEA", vip = true, tier = 2 }
metric = "nps"
delay = "0s"
reminder_after = "0s"
sample = 1
"""
    survey = read(HUB + table).surveys["after-case"]
    assert (survey.on, survey.kind, survey.event) == ("case.closed", "case", "closed")
    assert survey.where == {"priority": ("High", "Medium"), "region": ("EMEA",), "vip": (True,), "tier": (2,)}
    assert (survey.audience, survey.metric, survey.sample) == (Audience.EVERYONE, Metric.NPS, 1.0)
    assert (survey.delay, survey.reminder_after) == (timedelta(0), timedelta(0))


def test_a_follow_up(read: Read) -> None:
    table = """
[follow_up.unhappy]
when = "mood = unhappy"
due = "2d"
assign = ["contact_owner", "boss@acme.example"]
notify = ["account_owner", "https://hooks.chat.example/T0/secret"]
"""
    follow_up = read(HUB + table).follow_up["unhappy"]
    assert follow_up.when.clauses == (MoodClause(Mood.UNHAPPY),)
    assert follow_up.assign == ("contact_owner", "boss@acme.example")
    assert follow_up.notify_people == ("account_owner",)
    assert [hook.get_secret_value() for hook in follow_up.notify_webhooks] == ["https://hooks.chat.example/T0/secret"]
    assert "T0" not in repr(follow_up)


def test_settings_cannot_be_changed(read: Read) -> None:
    settings = read(HUB)
    with pytest.raises(ValidationError):
        settings.limits.daily_sends = 5


def test_no_secret_is_in_what_settings_print(read: Read) -> None:
    settings = read(LIVE + '[store]\nurl = "postgresql+psycopg://u:hunter22@db/a"\n')
    for text in (repr(settings), str(settings)):
        assert "def-secret-ghi" not in text
        assert KEY not in text
        assert "hunter22" not in text


def test_no_secret_is_logged_even_where_settings_are_debugged(
    read: Read, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", "1")
    with caplog.at_level("DEBUG"):
        read(LIVE)
    assert "ConfigFile" in caplog.text
    assert "def-secret-ghi" not in caplog.text


def test_the_process_environment_is_not_looked_at(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variables that are handed over count, and only under our prefix."""
    monkeypatch.setenv("SCHEDULE", '{"sync": "1s"}')
    monkeypatch.setenv("AFTERWORD_SCHEDULE__SYNC", "1s")
    assert read(HUB).schedule.sync == timedelta(minutes=5)


# ── files beside it ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_relative_paths_start_at_the_file(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("-")
    (tmp_path / "own.toml").write_text("")
    monkeypatch.chdir("/")
    settings = read(HUB + 'ca_bundle = "ca.pem"\nmapping = "own.toml"\n')
    hub = settings.connection("hub")
    assert (hub.config.ca_bundle, hub.mapping) == (tmp_path / "ca.pem", tmp_path / "own.toml")
    assert settings.store_url == f"sqlite:///{tmp_path}/afterword.db"


@pytest.mark.parametrize(
    "url",
    ["sqlite:////var/lib/afterword.db", "postgresql+psycopg://u:p@db.acme.example/afterword", "sqlite:///:memory:"],
)
def test_other_stores_are_taken_as_they_are(read: Read, url: str) -> None:
    assert read(HUB + f'[store]\nurl = "{url}"\n').store_url == url


def test_a_mapping_beside_the_file_is_used_unasked(read: Read, tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    mapping = tmp_path / "mappings" / "hubspot.toml"
    mapping.write_text("")
    assert read(HUB).connection("hub").mapping == mapping


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_may_lie_in_a_file(read: Read, tmp_path: Path, ending: str) -> None:
    (tmp_path / "password").write_bytes(f" pass 1{ending}".encode())
    (tmp_path / "token").write_bytes(f"pat-1{ending}".encode())
    mail = (
        '[email]\nhost = "smtp.acme.example"\nfrom = "care@acme.example"\nusername = "u"\npassword_file = "password"\n'
    )
    settings = read(f'{mail}[crm.hub]\nadapter = "hubspot"\naccess_token_file = "token"\n')
    assert settings.email is not None
    assert settings.email.password == SecretStr(" pass 1")
    assert settings.connection("hub").config.access_token == SecretStr("pat-1")


def test_a_secret_of_several_lines_holds_older_keys_too(read: Read, tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text(f"{KEY}\n{'o' * 32}\n")
    assert read(HUB + '[web]\nsecret_file = "secret.key"\n').web.signing_keys == (KEY, "o" * 32)


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_variable_wins_over_the_file(read: Read) -> None:
    environ = {"AFTERWORD_LIMITS__QUIET_PERIOD": "30d", "AFTERWORD_CRM__HUB__ACCESS_TOKEN": "other", "PATH": "/bin"}
    settings = read(HUB + '[limits]\nquiet_period = "60d"\n', environ)
    assert settings.limits.quiet_period == timedelta(days=30)
    assert settings.connection("hub").config.access_token == SecretStr("other")


def test_hyphens_are_underscores_in_a_variable(read: Read) -> None:
    text = HUB.replace("hub]", "acme-hub]").replace('access_token = "pat-na1-0123456789"', "")
    settings = read(text, {"AFTERWORD_CRM__ACME_HUB__ACCESS_TOKEN": "t"})
    assert settings.connection("acme-hub").config.access_token == SecretStr("t")


def test_the_environment_alone_can_make_a_connection(read: Read) -> None:
    environ = {"AFTERWORD_CRM__ACME_HUB__ADAPTER": "hubspot", "AFTERWORD_CRM__ACME_HUB__ACCESS_TOKEN": "t"}
    assert read("", environ).connection("acme-hub").adapter == "hubspot"


def test_numbers_lists_and_tables_in_variables(read: Read) -> None:
    environ = {
        "AFTERWORD_LIMITS__DAILY_SENDS": "7",
        "AFTERWORD_LIMITS__INTERNAL_DOMAINS": "acme.example, ACME.test",
        "AFTERWORD_CRM__HUB__DAILY_CALL_SHARE": "0.5",
        "AFTERWORD_SURVEYS__AFTER_CASE__ON": "case.closed",
        "AFTERWORD_SURVEYS__AFTER_CASE__WHERE": '{ priority = ["High"] }',
        "AFTERWORD_FOLLOW_UP__SILENT__WHEN": "silence >= 2",
        "AFTERWORD_FOLLOW_UP__SILENT__ASSIGN": '["contact_owner", "account_owner"]',
        "AFTERWORD_EMAIL__FROM": "care@acme.example",
        "AFTERWORD_EMAIL__HOST": "smtp.acme.example",
    }
    settings = read(HUB, environ)
    assert settings.limits.daily_sends == 7
    assert settings.limits.internal_domains == ("acme.example", "acme.test")
    assert settings.connection("hub").daily_call_share == 0.5
    assert settings.surveys["after-case"].where == {"priority": ("High",)}
    assert settings.follow_up["silent"].assign == ("contact_owner", "account_owner")
    assert settings.email is not None
    assert settings.email.from_.address == "care@acme.example"


def test_a_secret_of_the_environment_replaces_the_secret_file_of_the_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file")
    text = '[crm.hub]\nadapter = "hubspot"\naccess_token_file = "nowhere"\n'
    by_value = read(text, {"AFTERWORD_CRM__HUB__ACCESS_TOKEN": "t"})
    by_file = read(HUB, {"AFTERWORD_CRM__HUB__ACCESS_TOKEN_FILE": "token"})
    assert by_value.connection("hub").config.access_token == SecretStr("t")
    assert by_file.connection("hub").config.access_token == SecretStr("from-a-file")


def test_of_a_blank_variable_and_its_file_the_file_counts(read: Read, tmp_path: Path) -> None:
    """Deployments pass on both, one of them as a blank."""
    (tmp_path / "token").write_text("from-a-file")
    environ = {"AFTERWORD_CRM__HUB__ACCESS_TOKEN": "", "AFTERWORD_CRM__HUB__ACCESS_TOKEN_FILE": "token"}
    settings = read('[crm.hub]\nadapter = "hubspot"\n', environ)
    assert settings.connection("hub").config.access_token == SecretStr("from-a-file")


def test_credentials_that_are_not_sent_may_hold_anything(read: Read, problems: Refused) -> None:
    assert read(f'{HUB}client_id = "the id of an app"\n').connection("hub").adapter == "hubspot"
    (problem,) = problems('[crm.hub]\nadapter = "hubspot"\naccess_token = "a b"\n')
    assert problem.where == "config.toml: crm.hub.access_token"
    assert "U+0020" in problem.what


def test_an_address_that_was_copied_with_a_session_does_not_show_it(problems: Refused) -> None:
    url = "https://acme.my.salesforce.com/?sid=00D0s3cr3t"
    (problem,) = problems(f'[crm.acme]\nadapter = "salesforce"\nurl = "{url}"\naccess_token = "t"\n')
    assert problem.where == "config.toml: crm.acme.url"
    assert "00D0s3cr3t" not in f"{problem.what}{problem.remedy}"


def test_unfinished_mail_does_not_keep_anybody_from_looking(read: Read, problems: Refused) -> None:
    environ = {"AFTERWORD_EMAIL__PASSWORD": "p4ssw0rd", "AFTERWORD_EMAIL__USERNAME": "u"}
    assert read(HUB, environ).email is None
    places = {problem.where for problem in problems(HUB + 'mode = "live"', environ)}
    assert {"config.toml: email.host", "config.toml: email.from"} <= places


def test_links_lead_to_this_machine_until_an_address_is_written(read: Read) -> None:
    assert read(HUB + '[web]\nlisten = "0.0.0.0:9000"\n').web.public_url == "http://localhost:9000"


def test_a_byte_order_mark_is_passed_over(read: Read) -> None:
    assert read("\ufeff" + HUB).connection("hub").adapter == "hubspot"


@pytest.mark.parametrize("blank", ["", "  ", "\t\n"])
def test_a_blank_list_variable_leaves_the_files_list_as_it_is(read: Read, blank: str) -> None:
    text = HUB + '[limits]\ninternal_domains = ["acme.example"]\n[web]\nmanagers = ["cx@acme.example"]\n'
    environ = {"AFTERWORD_LIMITS__INTERNAL_DOMAINS": blank, "AFTERWORD_WEB__MANAGERS": blank}
    settings = read(text, environ)
    assert settings.limits.internal_domains == ("acme.example",)
    assert settings.web.managers == ("cx@acme.example",)
    assert read(HUB, environ).limits.internal_domains == ()


def test_a_list_variable_can_say_that_there_is_nothing(read: Read) -> None:
    text = HUB + '[limits]\ninternal_domains = ["acme.example"]\n'
    assert read(text, {"AFTERWORD_LIMITS__INTERNAL_DOMAINS": "[]"}).limits.internal_domains == ()


def test_a_blank_variable_of_a_name_that_is_not_there_says_nothing(read: Read) -> None:
    assert read(HUB, {"AFTERWORD_FOLLOW_UP__LOW__NOTIFY": ""}).follow_up == {}


def test_a_list_variable_of_commas_alone_is_refused(problems: Refused) -> None:
    (problem,) = problems(HUB, {"AFTERWORD_WEB__MANAGERS": " , "})
    assert (problem.where, problem.what) == ("environment: AFTERWORD_WEB__MANAGERS", "is a list of nothing.")
    assert "[]" in problem.remedy


# ── keys of an adapter's own ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_only_another_adapter_has_a_key_for_is_passed_over(read: Read) -> None:
    """A firm that moved to another CRM may have left the user name, or the variable of a key, of the one before."""
    text = f'{HUB}username = "u"\nprivate_key_file = "gone.pem"\n'
    assert read(text, {"AFTERWORD_CRM__HUB__PRIVATE_KEY": "k"}).connection("hub").adapter == "hubspot"


def test_a_key_that_no_adapter_has_is_named(problems: Refused) -> None:
    text = f'{HUB}username = "u"\nprivate_kye = "k"\n'
    assert [problem.where for problem in problems(text)] == ["config.toml: crm.hub.private_kye"]


def test_a_variable_may_name_the_adapter_of_its_connection(read: Read) -> None:
    environ = {
        "AFTERWORD_CRM__ACME__ACCESS_TOKEN": "t",
        "AFTERWORD_CRM__ACME__ADAPTER": "salesforce",
        "AFTERWORD_CRM__ACME__URL": "https://acme.my.salesforce.com",
    }
    assert read("", environ).connection("acme").config.url == "https://acme.my.salesforce.com"


def test_of_an_adapter_that_is_not_there_only_keys_that_none_has_are_named(problems: Refused) -> None:
    text = '[crm.acme]\nadapter = "salesforc"\nprivate_key = "k"\nnonsense = 1\n'
    assert [problem.where for problem in problems(text)] == [
        "config.toml: crm.acme.adapter",
        "config.toml: crm.acme.nonsense",
    ]


# ── afterword init ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_what_init_writes_needs_only_a_token(tmp_path: Path, crm: str) -> None:
    written = write_project(tmp_path / "new", crm, installed_adapters()[crm])
    environ = {f"AFTERWORD_CRM__{crm.upper()}__ACCESS_TOKEN": "t"}
    settings = load(tmp_path / "new" / "config.toml", environ=environ, adapters=installed_adapters())
    assert {path.relative_to(tmp_path / "new").as_posix() for path in written} == {
        "config.toml",
        f"mappings/{crm}.toml",
        "secret.key",
    }
    assert not settings.is_live
    assert settings.connection(crm).mapping == tmp_path / "new" / "mappings" / f"{crm}.toml"
    assert settings.connection(crm).mapping.read_text() == installed_adapters()[crm].default_mapping.read()  # type: ignore[union-attr]
    assert settings.surveys["after-case"].on == "case.closed"
    assert settings.follow_up["low"].when.text == "low"
    assert settings.limits.sending_window.company == settings.company.working_time
    assert not settings.company.working_hours.always


def test_without_a_token_what_init_writes_asks_for_exactly_that(tmp_path: Path) -> None:
    write_project(tmp_path, "hubspot", installed_adapters()["hubspot"])
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "config.toml", environ={}, adapters=installed_adapters())
    (problem,) = caught.value.problems
    assert problem.where.endswith("crm.hubspot.access_token")
    assert "AFTERWORD_CRM__HUBSPOT__ACCESS_TOKEN" in problem.remedy


def test_init_makes_a_key_that_nobody_else_can_read(tmp_path: Path) -> None:
    write_project(tmp_path / "a", "hubspot", installed_adapters()["hubspot"])
    write_project(tmp_path / "b", "hubspot", installed_adapters()["hubspot"])
    first, second = tmp_path / "a" / "secret.key", tmp_path / "b" / "secret.key"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert len(first.read_text().strip()) >= 32
    assert first.read_text() != second.read_text()
    assert first.read_text().strip() not in (tmp_path / "a" / "config.toml").read_text()


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("mine")
    with pytest.raises(SettingsError, match=r"config\.toml: is there already"):
        write_project(tmp_path, "hubspot", installed_adapters()["hubspot"])
    assert (tmp_path / "config.toml").read_text() == "mine"
    assert not (tmp_path / "secret.key").exists()


def test_init_says_when_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        write_project(tmp_path / "file" / "below", "hubspot", installed_adapters()["hubspot"])
