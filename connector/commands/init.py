"""What `afterword init` writes: a config.toml that observes one CRM, the mapping to edit, and a key of its own."""

import secrets
from pathlib import Path
from string import Template
from typing import Final

from connector.errors import Problem, SettingsError
from connector.ports import AnyAdapterPackage
from connector.runtime.private_files import write_new

_CONFIG: Final = Template("""\
# Afterword: what it reads, whom it asks, and where it writes.
# Any key can also be set by an environment variable, for instance AFTERWORD_WEB__LISTEN, and any secret can lie in a file of
# its own: access_token_file = "token.txt". "afterword check" tells what is wrong, and what to do about it.

[company]
# name = "Acme Oy"
language = "en"                            # of tasks and sentences on records, and where a customer's is not known
# timezone = "Europe/Helsinki"             # where you are: an IANA name
working_hours = "mon-fri 08:00-17:00"      # due times count them; or "any"
holidays = []                              # for example ["2026-12-24", "2026-12-25"]

[crm.$crm]
adapter = "$crm"
mode = "observe"                           # reads only. "live" also sends and writes; look at "afterword plan" first
$credentials
# What its fields mean; edit it, then look at "afterword check":
mapping = "mappings/$crm.toml"

[surveys.after-case]
on = "case.closed"                         # <kind>.<event>, as the mapping names them
audience = "customers"                     # or "everyone"
metric = "csat"                            # csat, nps, ces or composite
delay = "24h"                              # after the last update; a reopened case is not asked about
expires = "14d"
reminder_after = "4d"                      # 0s: no reminder

[follow_up.low]
when = "low"                               # a bad answer, whatever was asked: CSAT up to 2 of 5, CES up to 3 of 7, NPS up to 6
due = "24h"
priority = "high"
assign = ["account_owner"]
notify = ["account_owner"]

[limits]
quiet_period = "90d"                       # nobody is asked more often
sending_window = "working_hours"           # those of [company]; or "any", or "mon-fri 09:00-17:00" on each person's own clocks
internal_domains = []                      # your own mail domains, for example ["acme.example"]

[web]
secret_file = "secret.key"                 # signs the links in mails; keep it, or links that were sent stop working
# public_url = "https://feedback.acme.example"   # needed once mode is "live"

# Needed once mode is "live":
# [email]
# host = "smtp.acme.example"
# username = "care@acme.example"
# password_file = "smtp-password.txt"
# from = "Acme Care <care@acme.example>"
""")


def write_project(directory: Path, crm: str, package: AnyAdapterPackage) -> list[Path]:
    """Write config.toml, mappings/<crm>.toml and secret.key, which nobody else may read, and return their paths.

    `package` is that of the adapter named `crm`. Raises SettingsError, and writes nothing, when one of the files is there already,
    and when the folder cannot be written to.
    """
    config = directory / "config.toml"
    files = {
        config: _CONFIG.substitute(crm=crm, credentials=package.init_snippet),
        directory / "mappings" / f"{crm}.toml": package.default_mapping.read(),
        directory / "secret.key": f"{secrets.token_urlsafe(48)}\n",
    }
    there = [
        Problem(str(path), "is there already.", "Move it away, or choose another folder.")
        for path in files
        if path.exists()
    ]
    if there:
        raise SettingsError(there)
    try:
        for path, text in files.items():
            write_new(path, text)
    except OSError as error:
        problem = Problem(str(error.filename), f"cannot be written: {error.strerror}.", "Choose another folder.")
        raise SettingsError([problem]) from None
    return list(files)
