"""The project that the demo runs on: written like anybody's, by `config.toml`, a mapping and a key."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from connector.errors import Problem, SettingsError
from mappings.loading import packaged

MARK: Final = "# Written by `afterword demo`, which writes it anew each time.\n"
CONNECTION: Final = "northwind"

_CONFIG: Final = Template(
    MARK
    + """
[store]
url = "sqlite:///afterword.db"

[web]
listen = "127.0.0.1:$web_port"
public_url = "http://localhost:$web_port"
secret_file = "secret.key"

[email]                                    # a mail server of the demo's own, which keeps what arrives
host = "127.0.0.1"
port = $mail_port
security = "none"
from = "Northwind Care <care@northwind.example>"
reply_to = "care@northwind.example"

[crm.$crm]
adapter = "salesforce"
mode = "live"
url = "$crm_url"
auth = "client_credentials"
client_id = "$client_id"
client_secret_file = "client-secret.txt"
ca_bundle = "ca.pem"
mapping = "mappings/salesforce.toml"

[limits]                                   # shorter than in real life, so that three weeks hold a story
quiet_period = "7d"
account_cap = "6 per 30d"
internal_domains = ["northwind.example"]

[surveys.after-case]
on = "case.closed"
metric = "csat"
delay = "3h"
expires = "5d"
reminder_after = "2d"

[surveys.after-call]
on = "call.held"
metric = "ces"
delay = "2h"
expires = "5d"
reminder_after = "2d"

[surveys.after-meeting]
on = "meeting.held"
metric = "csat"
delay = "2h"
expires = "5d"
reminder_after = "2d"

[surveys.won-deal]
on = "deal.won"
metric = "nps"
delay = "4h"
expires = "6d"
reminder_after = "2d"

[follow_up.unhappy]
when = "csat <= 2"
due = "24h"
priority = "high"
assign = ["account_owner"]
notify = ["account_owner"]

[follow_up.hard-work]
when = "ces <= 2"
due = "48h"
assign = ["account_owner"]

[follow_up.silent]
when = "silence >= 2"
due = "3d"
priority = "low"
assign = ["account_owner"]

[follow_up.mood]
when = "mood = unhappy"
due = "48h"
priority = "high"
assign = ["account_owner"]

[schedule]
sync = "2s"
"""
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is, and what the CRM gave us to sign in with."""

    web_port: int
    mail_port: int
    crm_url: str
    client_id: str
    client_secret: str


def make_room(folder: Path) -> None:
    """Empty the demo's folder. Raises SettingsError for one that holds something else: that is nobody's to delete."""
    config = folder / "config.toml"
    if not folder.exists() or not any(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        return
    if not config.is_file() or not config.read_text(encoding="utf-8").startswith(MARK):
        problem = Problem(str(folder), "holds something that the demo did not write.", "Name another folder.")
        raise SettingsError([problem])
    shutil.rmtree(folder / "mappings", ignore_errors=True)
    for path in [*folder.glob("afterword.db*"), config, folder / "secret.key", folder / "client-secret.txt"]:
        path.unlink(missing_ok=True)


def write(folder: Path, where: Addresses) -> Path:
    """Write the project, and return the path of its config.toml."""
    config = folder / "config.toml"
    config.write_text(
        _CONFIG.substitute(
            crm=CONNECTION,
            web_port=where.web_port,
            mail_port=where.mail_port,
            crm_url=where.crm_url,
            client_id=where.client_id,
        ),
        encoding="utf-8",
    )
    for name, secret in (("client-secret.txt", where.client_secret), ("secret.key", secrets.token_urlsafe(48))):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(f"{secret}\n", encoding="utf-8")
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "salesforce.toml").write_text(packaged("salesforce"), encoding="utf-8")
    return config
