"""The files for hosting fit the product, and each other: commands, variables, ports, paths and users are those that there are.

What only the tools themselves can tell (Docker, systemd, Caddy, nginx, Apache) is tried by hand with each of them.
"""

import configparser
import ipaddress
import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from typer.main import get_command

from connector.app import wiring
from connector.app.adapter_packages import installed_adapters
from connector.cli.app import app
from connector.commands.init import write_project
from connector.settings.keys import KEYS, PREFIX
from connector.settings.model import Web
from deploy import environment

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
FILES = sorted(path.name for path in DEPLOY.iterdir() if path.is_file())
LISTEN = Web().listen


@cache
def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text(name))
    return parser["Service"]


def test_hosting_md_tells_of_every_file() -> None:
    page = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    documents = page + text("install.sh") + text("compose.yaml")
    named = {"Dockerfile.dockerignore": "Dockerfile", "compose.yaml": "compose file"}
    assert [name for name in FILES if named.get(name, name) not in documents] == []


@pytest.mark.parametrize("name", FILES)
def test_every_variable_sets_a_key(name: str) -> None:
    """AFTERWORD_SITE and AFTERWORD_UPSTREAM are Caddy's."""
    variables = set(re.findall(r"\bAFTERWORD_[A-Z_]+__[A-Z_]+", text(name)))
    keys = {PREFIX + "__".join(loc).upper() for loc in KEYS}
    assert variables - keys == set()


@pytest.mark.parametrize("name", FILES)
def test_every_command_is_there(name: str) -> None:
    called = re.findall(r'(?:bin/afterword"?|-m connector) ([a-z][a-z-]*)', text(name))
    called += re.findall(r'^CMD \["(\w+)"', text(name), re.MULTILINE)
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert set(called) - commands == set()


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf", "apache.conf"])
def test_web_servers_ask_where_afterword_listens(name: str) -> None:
    assert set(re.findall(r"127\.0\.0\.1:\d+", text(name))) == {f"{LISTEN.host}:{LISTEN.port}"}


@pytest.mark.parametrize("name", ["nginx.conf", "apache.conf"])
def test_web_servers_log_no_path_and_pass_no_claim_on(name: str) -> None:
    servers = len(re.findall(r"^(?:server|<VirtualHost)\b", text(name), re.MULTILINE))
    assert len(re.findall(r"access_log off;|CustomLog /dev/null", text(name))) == servers
    assert re.search(r"X-Forwarded-For \$remote_addr;|unset X-Forwarded-For early", text(name))
    assert "proxy_add_x_forwarded_for;" not in text(name)


def test_the_image_has_what_it_is_built_of() -> None:
    sent = set(re.findall(r"^!(\S+)", text("Dockerfile.dockerignore"), re.MULTILINE))
    assert sent == {*environment.SOURCE, "requirements.lock", "deploy/environment.py"}
    assert all((ROOT / name).exists() for name in sent)


def test_the_image_runs_without_root_and_is_asked_how_it_is() -> None:
    lines = text("Dockerfile")
    user = re.search(r"^USER (\d+):\1$", lines, re.MULTILINE)
    assert user is not None and f"useradd --uid {user[1]}" in lines and f"--owner={user[1]}" in lines
    assert f"http://127.0.0.1:{LISTEN.port}/healthz" in lines
    assert f"EXPOSE {LISTEN.port}\n" in lines and f"AFTERWORD_WEB__LISTEN=0.0.0.0:{LISTEN.port}" in lines
    assert f"chown {user[1]}:{user[1]} project" in (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")


def test_the_compose_file_fits_together() -> None:
    compose = yaml.safe_load(text("compose.yaml"))
    services = compose["services"]
    product = services["app"]
    assert product["read_only"] is True and product["cap_drop"] == ["ALL"] and product["tmpfs"] == ["/tmp"]
    assert (DEPLOY / product["build"]["context"] / product["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert set(product["depends_on"]) | {"app", "caddy"} == set(services)
    assert services["caddy"]["environment"]["AFTERWORD_UPSTREAM"] == f"app:{LISTEN.port}"
    assert "ports" not in product and "ports" not in services["postgres"]
    (net,) = compose["networks"]["inside"]["ipam"]["config"]
    trusted = product["environment"]["AFTERWORD_WEB__TRUSTED_PROXIES"]
    assert ipaddress.ip_network(net["subnet"]) == ipaddress.ip_network(trusted)
    mounted = {mount.split(":")[0] for service in services.values() for mount in service.get("volumes", ())}
    assert {name for name in mounted if not name.startswith(".")} == set(compose["volumes"])


def test_the_settings_of_the_compose_file_are_valid(tmp_path: Path) -> None:
    write_project(tmp_path, "hubspot", installed_adapters()["hubspot"])
    environ = yaml.safe_load(text("compose.yaml"))["services"]["app"]["environment"]
    filled = {name: re.sub(r"\$\{\w+[^}]*\}", "feedback.acme.example", value) for name, value in environ.items()}
    token = {"AFTERWORD_CRM__HUBSPOT__ACCESS_TOKEN": "pat-eu1-x"}
    settings = wiring.read_settings(tmp_path / "config.toml", {**filled, **token})
    assert settings.web.public_url == "https://feedback.acme.example"
    assert settings.store_url == "postgresql+psycopg://afterword@postgres/afterword"


@pytest.mark.parametrize("name", ["afterword.service", "afterword-backup.service"])
def test_units_run_what_install_sh_makes(name: str) -> None:
    service, script = unit(name), text("install.sh")
    program, project = (re.search(rf"^{word}=(\S+)$", script, re.MULTILINE) for word in ("PROGRAM", "PROJECT"))
    assert program is not None and project is not None
    assert service["ExecStart"].startswith(f"{program[1]}/current/bin/afterword ")
    assert service["WorkingDirectory"] == project[1] == f"/var/lib/{service['StateDirectory']}"
    assert service["User"] == "afterword" and "useradd --system --user-group" in script
    assert service["ProtectSystem"] == "strict" and service["NoNewPrivileges"] == "yes"
    assert all(name in script for name in FILES if name.startswith("afterword") and not name.endswith(".xml"))
    backups = re.search(r"^BACKUPS=(\S+)$", script, re.MULTILINE)
    assert backups is not None and service.get("ReadWritePaths", backups[1]) == backups[1]


def test_the_windows_service_is_xml_and_runs_the_command() -> None:
    service = ElementTree.fromstring(text("afterword-windows.xml"))  # noqa: S314 - our own file
    page = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    folder, _, _ = str(service.findtext("executable")).rpartition(r"\Scripts")
    assert service.findtext("arguments") == "-m connector run"
    assert folder in page and str(service.findtext("workingdirectory")) in page
