"""Everything wrong is told in one run: where, what, and what to do; and never a secret."""

import contextlib
import re
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as run
from hypothesis import strategies as st

from connector.app.adapter_packages import installed_adapters
from connector.errors import Problem, SettingsError
from connector.settings import Settings, load
from connector.settings.keys import ANY, KEYS, Key, adapter_keys

HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "pat-na1-0123456789"\n'
ACME = '[crm.acme]\nadapter = "salesforce"\nurl = "https://acme.my.salesforce.com"\n'
WEB = f'[web]\nsecret = "{"s" * 40}"\n'
SURVEY = '[surveys.s]\non = "case.closed"\n'
FOLLOW_UP = '[follow_up.f]\nwhen = "csat <= 2"\n'
MAIL = '[email]\nhost = "smtp.acme.example"\nfrom = "care@acme.example"\n'
OAUTH = '[email.oauth]\ntoken_url = "https://login.acme.example/token"\nclient_id = "c"\n'

Read = Callable[..., Settings]
Refused = Callable[..., tuple[Problem, ...]]

WRONG = [
    # (config.toml, the key that is named, in what is said, in the remedy)
    ("", "crm", "names no CRM", "[crm.NAME]"),
    (HUB + "[limits]\nquiet_perod = 3\n", "limits.quiet_perod", "is not a key", 'Did you mean "quiet_period"?'),
    (HUB + "[limit]\nquiet_period = '3d'\n", "limit", "is not a table", 'Did you mean "limits"?'),
    (HUB + 'acess_token = "x"\n', "crm.hub.acess_token", "is not a key", 'Did you mean "access_token"?'),
    ("colour = 1\n" + HUB, "colour", "is not a table", "Remove it"),
    (HUB + '[limits]\nquiet_period = "90"\n', "limits.quiet_period", '"90" is not a duration', "7d"),
    (HUB + "[limits]\nquiet_period = 90\n", "limits.quiet_period", "90 is not a text", '"90d"'),
    (HUB + '[limits]\nminimum_gap = "-1d"\n', "limits.minimum_gap", '"-1d" is not a duration', "24h"),
    (HUB + '[limits]\naccount_cap = "3"\n', "limits.account_cap", '"3" is not', "3 per 30d"),
    (HUB + '[limits]\ndaily_sends = "200"\n', "limits.daily_sends", '"200" is not a whole number', "without quotes"),
    (HUB + "[limits]\ndaily_sends = -1\n", "limits.daily_sends", "-1 is out of range", "at least 0"),
    (HUB + "[limits]\ndaily_sends = true\n", "limits.daily_sends", "true is not a whole number", "whole number"),
    (HUB + '[limits]\nsending_window = "9-5"\n', "limits.sending_window", '"9-5" is not', "mon-fri 09:00-17:00"),
    (HUB + '[limits]\ninternal_domains = "a.example"\n', "limits.internal_domains", "is not a list", "["),
    (HUB + '[limits]\ninternal_domains = ["a b"]\n', "limits.internal_domains", '"a b" is not a domain', "@"),
    (
        HUB + '[company]\ntimezone = "Helsinki"\n',
        "company.timezone",
        '"Helsinki" is not a time zone',
        'Did you mean "Europe/Helsinki"?',
    ),
    (HUB + '[company]\nworking_hours = "9-5"\n', "company.working_hours", '"9-5" are not', "mon-fri 09:00-17:00"),
    (HUB + '[company]\nworking_hours = "mon 17:00-08:00"\n', "company.working_hours", "closes before", "earlier"),
    (HUB + '[company]\nholidays = ["24.12.2026"]\n', "company.holidays", '"24.12.2026" is not a date', "2026-12-24"),
    (HUB + '[company]\nholidays = ["2026-02-29"]\n', "company.holidays", '"2026-02-29" is not a date', "2026-12-24"),
    (HUB + "[company]\nholidays = [2026]\n", "company.holidays", "2026 is not a date", "2026-12-24"),
    (HUB + '[company]\nholidays = "2026-12-24"\n', "company.holidays", "is not a list", "["),
    (HUB + '[company]\nlanguage = "klingon"\n', "company.language", '"klingon" is not a language', "en, es, fi"),
    (HUB + '[company]\nnane = "Acme"\n', "company.nane", "is not a key", 'Did you mean "name"?'),
    (HUB + '[admin]\nemail = "it"\n', "admin.email", '"it" is not an e-mail address', "care@acme.example"),
    (HUB + '[web]\nmanagers = ["cx"]\n', "web.managers", '"cx" is not an e-mail address', "care@acme.example"),
    (HUB + '[web]\nadmins = "it@acme.example"\n', "web.admins", "is not a list", "["),
    (HUB + MAIL + 'ehlo_name = "crm01"\n', "email.ehlo_name", "is not the full name of a host", "mail.acme.example"),
    (HUB + MAIL + 'ehlo_name = "192.0.2.1"\n', "email.ehlo_name", "is not the full name of a host", "mail.acme"),
    (HUB + MAIL + 'only_to = ["me"]\n', "email.only_to", '"me" is not an e-mail address', "care@acme.example"),
    (HUB + '[deputies]\njonas = "a@acme.example"\n', "deputies.jonas", "is not an e-mail address", "care@acme"),
    (
        HUB + '[deputies]\n"j@acme.example" = "anna"\n',
        "deputies.j@acme.example",
        '"anna" is not an e-mail',
        "care@acme",
    ),
    (
        HUB + '[deputies]\n"j@acme.example" = "J@Acme.example"\n',
        "deputies.j@acme.example",
        "is their own deputy",
        "somebody else",
    ),
    (
        HUB
        + '[deputies]\n"a@x.example" = "B@x.example"\n"b@x.example" = "c@x.example"\n"c@x.example" = "a@x.example"\n'
        '"d@x.example" = "a@x.example"\n',
        "deputies.a@x.example",
        "in a circle: a@x.example → b@x.example → c@x.example → a@x.example",
        "remove the line",
    ),
    (
        HUB + '[deputies]\n"a@x.example" = "b@x.example"\n"A@x.example" = "c@x.example"\n',
        "deputies.A@x.example",
        "twice",
        "one",
    ),
    (HUB + '[away]\n"j@acme.example" = "soon"\n', "away.j@acme.example", '"soon" is not a date', "2026-12-24"),
    (HUB + '[causes]\nlate = ""\n', "causes.late", "is empty", "Write the value"),
    (HUB + '[causes]\n"Too late" = "Too late"\n', "causes.Too late", "is not a name", "small letters"),
    (HUB + '[reports]\nweekly = "monday"\n', "reports.weekly", '"monday" is not a time of the week', "mon 08:00"),
    (HUB + '[reports]\nweekly = "mon 8"\n', "reports.weekly", '"mon 8" is not a time of day', "02:30"),
    (
        HUB + FOLLOW_UP + 'escalate = ["boss"]\n',
        "follow_up.f.escalate",
        '"boss" is neither of',
        "owner_manager, managers",
    ),
    (HUB + FOLLOW_UP + 'escalate_after = "1 day"\n', "follow_up.f.escalate_after", '"1 day" is not a duration', "24h"),
    ('limits = "3d"\n' + HUB, "limits", "is not a table", "table"),
    ("[crm]\nhub = 3\n", "crm.hub", "is not a table", "table"),
    (HUB.replace("hub]", "My_Hub]"), "crm.My_Hub", "is not a name", "small letters"),
    (HUB.replace('"hubspot"', '"hubspt"'), "crm.hub.adapter", '"hubspt" is not an adapter', "hubspot"),
    ('[crm.hub]\naccess_token = "t"\n', "crm.hub.adapter", "is missing", "AFTERWORD_CRM__HUB__ADAPTER"),
    ('[crm.hub]\nadapter = "hubspot"\n', "crm.hub.access_token", "is missing", "access_token_file"),
    (HUB + 'mode = "lively"\n', "crm.hub.mode", '"lively" is not one of', 'observe, live. Did you mean "live"?'),
    (
        HUB + 'url = "http://api.hubapi.example"\n',
        "crm.hub.url",
        '"http://api.hubapi.example" is not https',
        "https://",
    ),
    (HUB + 'url = "api.hubapi.com"\n', "crm.hub.url", "is not a web address", "https://"),
    (HUB + 'ca_bundle = "no.pem"\n', "crm.hub.ca_bundle", '"no.pem" names a file that is not there', "Relative paths"),
    (HUB + 'mapping = "no.toml"\n', "crm.hub.mapping", '"no.toml" names a file that is not there', "Relative paths"),
    (HUB + "daily_call_share = 0\n", "crm.hub.daily_call_share", "0 is out of range", "above 0"),
    (HUB + "daily_call_share = 1.5\n", "crm.hub.daily_call_share", "1.5 is out of range", "up to 1"),
    (HUB + "daily_call_share = nan\n", "crm.hub.daily_call_share", "is not a number", "number"),
    (HUB + 'auth = "jwt"\n', "crm.hub.auth", '"jwt" is for Salesforce', "Remove"),
    (HUB + 'access_token_file = "t"\n', "crm.hub.access_token_file", "stands beside access_token", "one of the two"),
    (ACME, "crm.acme.auth", "is missing", "client_credentials, jwt, token"),
    (ACME + 'auth = "password"\n', "crm.acme.auth", '"password" is not one of', "client_credentials, jwt, token"),
    (ACME + 'auth = "token"\n', "crm.acme.access_token", "is missing", 'auth = "token" needs it'),
    (
        ACME + 'auth = "jwt"\nclient_id = "c"\nusername = "u"\n',
        "crm.acme.private_key",
        "is missing",
        "private_key_file",
    ),
    (ACME + 'auth = "client_credentials"\nclient_id = "c"\n', "crm.acme.client_secret", "is missing", "needs it"),
    (
        f'{WEB}{ACME}auth = "refresh_token"\nclient_id = "c"\n',
        "crm.acme.refresh_token",
        "is missing",
        "refresh_token_file",
    ),
    (
        f'{WEB}{HUB}auth = "refresh_token"\nclient_id = "c"\nrefresh_token = "r"\n',
        "crm.hub.client_secret",
        "is missing",
        "HubSpot needs it",
    ),
    (
        ACME + 'auth = "refresh_token"\nclient_id = "c"\nrefresh_token = "r"\n',
        "web.secret",
        "is missing",
        "It encrypts the tokens of [crm.acme]",
    ),
    (ACME + 'access_token = ""\n', "crm.acme.access_token", "is empty", "Write the value"),
    (ACME + 'access_token_file = "no"\n', "crm.acme.access_token_file", "cannot be read", "elative paths"),
    ('[crm.acme]\nadapter = "salesforce"\naccess_token = "t"\n', "crm.acme.url", "is missing", "my.salesforce.com"),
    (HUB + '[store]\nurl = "mysql://x"\n', "store.url", "is not a database", "postgresql+psycopg://"),
    (HUB + '[web]\nsecret = "short"\n', "web.secret", "shorter than 32", "secrets.token_urlsafe"),
    (HUB + '[web]\nlisten = "8080"\n', "web.listen", '"8080" is not host:port', "127.0.0.1:8080"),
    (
        HUB + '[web]\ntrusted_proxies = ["caddy"]\n',
        "web.trusted_proxies",
        '"caddy" is neither an IP address',
        "no name",
    ),
    (HUB + '[web]\npublic_url = "http://a.example"\n', "web.public_url", "is not https", "this machine"),
    (HUB + '[web]\npublic_url = "https://a.example/?x"\n', "web.public_url", "ends with ? or #", "alone"),
    (
        HUB + '[web]\npublic_url = "https://a.example//evil.example"\n',
        "web.public_url",
        "has a path that links cannot be added to",
        "/feedback",
    ),
    (HUB + '[web]\npublic_url = "https://a.example/a;b"\n', "web.public_url", "has a path that", "/feedback"),
    (HUB + '[web]\npublic_url = "https://a.example/a//b"\n', "web.public_url", "has a path that", "/feedback"),
    (HUB + '[web]\npublic_url = "https://a.example/../a"\n', "web.public_url", "has a path that", "/feedback"),
    (HUB + '[web]\npublic_url = "https://a.example/a,b"\n', "web.public_url", "has a path that", "/feedback"),
    (HUB + '[web]\npublic_url = "https://a.example/ä"\n', "web.public_url", "has a path that", "/feedback"),
    (HUB + '[web]\npublic_url = "https://a.example/%zz"\n', "web.public_url", "has a path that", "/feedback"),
    (HUB + MAIL + "port = 70000\n", "email.port", "70000 is out of range", "65535"),
    (HUB + MAIL + 'security = "ssl"\n', "email.security", '"ssl" is not one of', "none, starttls, tls"),
    (HUB + MAIL + 'reply_to = "care"\n', "email.reply_to", '"care" is not an e-mail address', "care@acme.example"),
    (HUB + MAIL + 'username = "u"\n', "email.password", "is missing", "Or remove username"),
    (HUB + MAIL + 'password = "p4ssw0rd"\n', "email.username", "is missing", "AFTERWORD_EMAIL__USERNAME"),
    (HUB + MAIL + 'username = "u"\npassword = "p"\nsecurity = "none"\n', "email.security", "unprotected", "tls"),
    (HUB + MAIL + 'username = "u"\n' + OAUTH, "email.oauth.client_secret", "is missing", "refresh_token"),
    (
        HUB + MAIL + 'username = "u"\npassword = "p"\n' + OAUTH + 'client_secret = "s"\n',
        "email.oauth",
        "stands beside a password",
        "one of the two",
    ),
    (HUB + '[email]\nhost = "smtp.acme.example"\n', "email.from", "is missing", "AFTERWORD_EMAIL__FROM"),
    (HUB + SURVEY.replace("case.closed", "case"), "surveys.s.on", '"case" is not <kind>.<event>', "case.closed"),
    (HUB + SURVEY + 'metric = "npss"\n', "surveys.s.metric", '"npss" is not one of', 'Did you mean "nps"?'),
    (HUB + SURVEY + "where = { a = [] }\n", "surveys.s.where.a", "is empty", "at least one"),
    (HUB + SURVEY + "where = { a = [{}] }\n", "surveys.s.where.a", "is not a value", "text, a number"),
    (HUB + SURVEY + "sample = 2\n", "surveys.s.sample", "2 is out of range", "from 0 to 1"),
    (HUB + SURVEY + 'expires = "3d"\nreminder_after = "3d"\n', "surveys.s.reminder_after", "before", "0s"),
    (HUB + FOLLOW_UP.replace("csat", "cast"), "follow_up.f.when", 'did you mean "csat"?', "csat <= 2"),
    (HUB + FOLLOW_UP + 'priority = "urgent"\n', "follow_up.f.priority", '"urgent" is not one of', "low, normal, high"),
    (HUB + FOLLOW_UP + "assign = []\n", "follow_up.f.assign", "is empty", "at least one"),
    (HUB + FOLLOW_UP + 'assign = ["owner"]\n', "follow_up.f.assign", '"owner" is neither', "e-mail address"),
    (HUB + FOLLOW_UP + 'notify = ["http://a.example"]\n', "follow_up.f.notify", "is not https", "https://"),
    (HUB + "[scoring]\nminimum = 0\n", "scoring.minimum", "0 is out of range", "at least 1"),
    (
        HUB + "[scoring]\nunhappy_below = 80\nhappy_above = 70\n",
        "scoring.happy_above",
        "below unhappy_below",
        "Raise happy_above",
    ),
    (HUB + "[scoring]\nhappy_above = 101\n", "scoring.happy_above", "101 is out of range", "from 0 to 100"),
    (HUB + "[schedule]\nsync = 5\n", "schedule.sync", "5 is not a text", "quotes"),
    (HUB + '[schedule]\nreconcile = "2 am"\n', "schedule.reconcile", '"2 am" is not a time of day', "02:30"),
    (HUB + '[schedule]\ntimezone = "Espoo"\n', "schedule.timezone", '"Espoo" is not a time zone', "an IANA name"),
    (HUB + 'mode = "live"\n' + MAIL + SURVEY, "web.secret", "is missing", "[crm.hub] is live"),
    (HUB + 'mode = "live"\n' + MAIL + SURVEY, "web.public_url", "is missing", "AFTERWORD_WEB__PUBLIC_URL"),
    (HUB + 'mode = "live"\n' + SURVEY, "email.host", "is missing", "[crm.hub] is live"),
    (HUB + 'mode = "live"\n' + MAIL, "surveys", "has no survey", "case.closed"),
]


@pytest.mark.parametrize(("text", "key", "what", "remedy"), WRONG, ids=[f"{row[1]}-{row[2]}" for row in WRONG])
def test_what_is_wrong_is_told_with_file_key_and_remedy(
    problems: Refused, text: str, key: str, what: str, remedy: str
) -> None:
    found = [problem for problem in problems(text) if problem.where == f"config.toml: {key}"]
    assert len(found) == 1
    assert what in found[0].what
    assert remedy in found[0].remedy


def test_everything_wrong_is_told_in_one_run(problems: Refused) -> None:
    text = """
[crm.Hub]
adapter = "hubspot"
[crm.acme]
adapter = "salesforce"
mode = "live"
daily_call_share = 2
[limits]
quiet_period = "x"
daily_sends = "y"
[email]
port = 0
[surveys.s]
on = "x"
[nothing]
"""
    environ = {"AFTERWORD_WEB__LISTEN": "x", "AFTERWORD_WEB__SECRTE": "x"}
    assert {problem.where.removeprefix("config.toml: ") for problem in problems(text, environ)} == {
        "crm.Hub",
        "crm.Hub.access_token",
        "crm.acme.auth",
        "crm.acme.url",
        "crm.acme.daily_call_share",
        "limits.quiet_period",
        "limits.daily_sends",
        "email.port",
        "email.host",
        "email.from",
        "surveys.s.on",
        "nothing",
        "web.secret",
        "web.public_url",
        "environment: AFTERWORD_WEB__LISTEN",
        "environment: AFTERWORD_WEB__SECRTE",
    }


def test_several_wrong_elements_of_a_list_are_each_told(problems: Refused) -> None:
    found = problems(HUB + '[limits]\ninternal_domains = ["a b", "acme.example", "c d"]\n')
    assert [problem.what for problem in found] == ['"a b" is not a domain.', '"c d" is not a domain.']


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "value", "what", "remedy"),
    [
        ("AFTERWORD_LIMITS__QUIET_PERIOD", "x", '"x" is not a duration', "7d"),
        ("AFTERWORD_LIMITS__DAILY_SENDS", "many", '"many" is not a whole number', "whole number"),
        ("AFTERWORD_LIMITS__QUIET_PEROID", "3d", "is not a setting", 'Did you mean "quiet_period"?'),
        ("AFTERWORD_LIMTIS__QUIET_PERIOD", "3d", "is not a setting", 'Did you mean "limits"?'),
        ("AFTERWORD_CRM__HUBB__ACCESS_TOKEN", "t", "belongs to [crm.hubb]", "AFTERWORD_CRM__HUBB__ADAPTER"),
        ("AFTERWORD_WEB__SECRET", "short", "shorter than 32", "token_urlsafe"),
        ("AFTERWORD_WEB_SECRET", "short", "is not a setting", "AFTERWORD_WEB__SECRET"),
        ("AFTERWORD_CRM__HUB__ACCESS_TOKEN_FILE", "nowhere", "cannot be read", "elative paths"),
    ],
)
def test_a_wrong_variable_is_named(problems: Refused, name: str, value: str, what: str, remedy: str) -> None:
    (problem,) = problems(HUB, {name: value})
    assert problem.where == f"environment: {name}"
    assert what in problem.what
    assert remedy in problem.remedy


def test_variables_of_others_are_none_of_ours(read: Read) -> None:
    # What Kubernetes sets for a service called "afterword".
    environ = {"AFTERWORD_PORT": "tcp://10.0.0.1:80", "AFTERWORD_SERVICE_HOST": "10.0.0.1", "AFTERWORDS__X": "y"}
    assert read(HUB, environ).connection("hub").adapter == "hubspot"


# ── the file itself ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_missing_file_leads_to_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as caught:
        load(Path("config.toml"), environ={}, adapters={})
    (problem,) = caught.value.problems
    assert (problem.where, problem.what) == ("config.toml", "does not exist.")
    assert "afterword init" in problem.remedy


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, environ={}, adapters={})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[web]\nlisten = \n", 2),
        ("[web\n", 1),
        ("a = 1\na = 2\n", 2),
        ('[web]\n\nsecret = "abc\n', 3),
        ("x = pat-1\n", 1),
    ],
)
def test_broken_toml_is_told_with_its_line(problems: Refused, text: str, line: int) -> None:
    (problem,) = problems(text)
    assert problem.where == "config.toml"
    assert re.match(rf"is not TOML at line {line}(, column \d+)?: ", problem.what)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[web]\n[web]\n", "[web] stands twice"),
        ("[crm.a-b]\n[crm.a-b]\n", "[crm.a-b] stands twice"),
        ("crm = {}\n[[crm]]\n", "[crm] stands twice"),
        ("a = 1\na = 2\n", "a key stands twice"),
    ],
)
def test_what_stands_twice_is_named_as_the_file_has_it(problems: Refused, text: str, told: str) -> None:
    (problem,) = problems(text)
    assert problem.what.endswith(f": {told}.")


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes("[web]\n# käse\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load(tmp_path / "config.toml", environ={}, adapters={})


ANYTHING = ["''", '"\\u0000"', "-1", "1.5", "inf", "true", "[]", "[[1]]", "[{}]", "{ a = 1 }", "2026-11-22", "'é'"]


@pytest.mark.parametrize(
    "key",
    [*KEYS.values(), *adapter_keys(installed_adapters()["hubspot"].config).values()],
    ids=lambda key: ".".join(key.loc),
)
def test_any_value_ends_in_settings_or_in_a_settings_error(read: Read, key: Key) -> None:
    table = f"[{'.'.join(key.loc[:-1])}]\n".replace(ANY, "n")
    adapter = "adapter = 'hubspot'\n" if key.loc[0] == "crm" and key.loc[-1] != "adapter" else ""
    for value in ANYTHING:
        with contextlib.suppress(SettingsError):
            assert read(f"{table}{adapter}{key.loc[-1]} = {value}\n").path.name == "config.toml"


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

SECRET = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.=+/@:% é"),
    min_size=12,
    max_size=31,
)
ANOTHER_SECRET = "Xq7vXq7vXq7vXq7v"
SECRET_PLACES = [
    '[web]\nsecret = "{}"\n',
    "[web]\nsecret = ['{}']\n",
    '[web]\nsecret_file = "{}"\n',
    '[web]\nsecrte = "{}"\n',
    'web = "{}"\n',
    'secret = "{}"\n',
    '[store]\nurl = "{}"\n',
    '[store]\nurl = "mysql://user:{}@db/x"\n',
    '[email]\noauth = "{}"\n',
    '[email]\npassword = "{}"\nsecurity = "none"\n',
    '[email]\npassword = ["{}"]\n',
    '[email.oauth]\nrefresh_token = "{}"\nscope = 3\n',
    '[crm.hub]\nadapter = "hubspot"\naccess_token = "{}"\nmode = "x"\n',
    '[crm.hub]\nadapter = "hubspot"\naccess_tokn = "{}"\n',
    '[crm.hub]\nadapter = "hubspot"\naccess_token_file = "{}"\n',
    '[crm.hub]\nadapter = "hubspot"\nurl = "https://user:{}@api.hubapi.example"\n',
    '[crm.acme]\nadapter = "salesforce"\nauth = "jwt"\nprivate_key = "{}"\n',
    '[crm.acme]\nadapter = "salesforce"\nclient_secret = "{}"\n',
    '[follow_up.f]\nwhen = "csat <= 2"\nnotify = ["http://hooks.example/{}"]\n',
    '[web]\nsecret = "{}\n',
    "[web]\nsecret = {}\n",
    '[web]\nsecret = "{}" x\n',
    '[web]\nsecret = "{}\\q"\n',
]
SECRET_VARIABLES = [
    "AFTERWORD_WEB__SECRET",
    "AFTERWORD_WEB__SECRTE",
    "AFTERWORD_WEB_SECRET",
    "AFTERWORD_WEB",
    "AFTERWORD_WEB__SECRET_FILE",
    "AFTERWORD_STORE__URL",
    "AFTERWORD_EMAIL__PASSWORD",
    "AFTERWORD_EMAIL__OAUTH",
    "AFTERWORD_EMAIL__OAUTH__CLIENT_SECRET",
    "AFTERWORD_CRM__HUB__ACCESS_TOKEN",
    "AFTERWORD_CRM__NOWHERE__ACCESS_TOKEN",
]


def all_that_is_said(path: Path, environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, environ=environ, adapters=installed_adapters())
    error: BaseException | None = caught.value
    said = []
    while error is not None:
        said += [str(error), repr(error), repr(error.args), *traceback.format_exception_only(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(said)


@run(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRET, place=st.sampled_from(SECRET_PLACES))
def test_no_error_ever_shows_a_secret_of_the_file(tmp_path: Path, secret: str, place: str) -> None:
    path = tmp_path / "config.toml"

    def said_of(value: str) -> str:
        path.write_text("broken = 1\n" + place.replace("{}", value), encoding="utf-8")
        return all_that_is_said(path, {})

    assume(secret not in said_of(ANOTHER_SECRET))  # what errors say whatever the secret is
    assert secret not in said_of(secret)


@run(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRET, name=st.sampled_from(SECRET_VARIABLES))
def test_no_error_ever_shows_a_secret_of_the_environment(tmp_path: Path, secret: str, name: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text("broken = 1\n[crm.hub]\nadapter = 'hubspot'\n", encoding="utf-8")
    assume(secret not in all_that_is_said(path, {name: ANOTHER_SECRET}))  # what errors say whatever the secret is
    assert secret not in all_that_is_said(path, {name: secret})


def test_a_variable_of_no_connection_is_told_once_beside_other_problems(problems: Refused) -> None:
    told = problems(HUB + "[limits]\ndaily_sends = -1\n", {"AFTERWORD_CRM__HUBB__ACCESS_TOKEN": "t"})
    assert [problem.where for problem in told] == [
        "config.toml: limits.daily_sends",
        "environment: AFTERWORD_CRM__HUBB__ACCESS_TOKEN",
    ]


def test_what_stands_in_a_tables_place_is_told_though_a_variable_sets_a_key_of_the_table(problems: Refused) -> None:
    (problem,) = problems('limits = "3d"\n' + HUB, {"AFTERWORD_LIMITS__DAILY_SENDS": "3"})
    assert (problem.where, problem.what) == ("config.toml: limits", "is not a table.")


@pytest.mark.parametrize("line", ["secret = 7412589630", "secrte = 7412589630", 'secret = ["7412589630"]'])
def test_a_secret_that_is_no_text_is_not_shown(problems: Refused, line: str) -> None:
    (problem,) = problems(f"{HUB}[web]\n{line}\n")
    assert "7412589630" not in str(problem)
