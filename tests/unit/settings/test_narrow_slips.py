"""Slips that everybody makes are named with file, key and remedy: decimal commas, curly quotes, secrets' files that cannot be read."""

from pathlib import Path

import pytest
from default_mappings import packaged

from connector.app.adapter_packages import installed_adapters
from connector.errors import Problem, SettingsError
from connector.settings import load
from mappings.loading import load as load_mapping

HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "t"\n'
SURVEY = '[surveys.after-case]\non = "case.closed"\n'
CURLY = ["“secret-token”", "„secret-token“", "«secret-token»", "‘secret-token’", '"secret-token”']


def problem(folder: Path, text: str, environ: dict[str, str] | None = None) -> Problem:
    """Return the one thing that is wrong with a config.toml."""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(path, environ=environ or {}, adapters=installed_adapters())
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize("line", ["sample = 0,5", "  sample=0,5 # half", "sample = 0,5 "])
def test_a_decimal_comma_is_named_with_its_key(tmp_path: Path, line: str) -> None:
    found = problem(tmp_path, f"{HUB}{SURVEY}{line}\n")
    assert found.where.endswith("config.toml: surveys.after-case.sample")
    assert found.what == "holds a decimal comma (line 6)."
    assert "sample = 0.5" in found.remedy


def test_a_decimal_comma_in_text_or_in_a_variable_is_one_too(tmp_path: Path) -> None:
    found = problem(tmp_path, f'{HUB}{SURVEY}sample = "0,5"\n')
    assert ("decimal comma" in found.what, "0.5" in found.remedy) == (True, True)
    found = problem(tmp_path, HUB + SURVEY, {"AFTERWORD_SURVEYS__AFTER_CASE__SAMPLE": "0,5"})
    assert found.where == "environment: AFTERWORD_SURVEYS__AFTER_CASE__SAMPLE"
    assert "decimal comma" in found.what


@pytest.mark.parametrize("value", CURLY)
def test_curly_quotes_are_named_and_what_stands_in_them_is_not_shown(tmp_path: Path, value: str) -> None:
    text = f'[crm.hub]\nadapter = "hubspot"\naccess_token = {value}\n[web]\nlisten = "127.0.0.1:8080"\n'
    found = problem(tmp_path, text)
    assert found.where.endswith("config.toml: crm.hub.access_token")
    assert "curly quotes (line 3)" in found.what
    assert "straight quotes" in found.remedy
    assert "secret-token" not in str(found)


def test_a_mapping_is_told_of_in_the_same_way() -> None:
    text = packaged("salesforce").replace('email = "Email"', "email = “Email”", 1)
    with pytest.raises(SettingsError, match=r"m\.toml: owner\.email: stands in curly quotes"):
        load_mapping(text, "m.toml")
    text = packaged("salesforce").replace("precision = 3, scale = 0", "precision = 3,5, scale = 0", 1)
    with pytest.raises(SettingsError, match=r"m\.toml: write\.account\.precision: holds a decimal comma"):
        load_mapping(text, "m.toml")


def test_another_slip_is_told_as_before(tmp_path: Path) -> None:
    assert "is not TOML at line 4" in problem(tmp_path, f"{HUB}not a line\n").what


# ── files of secrets ─────────────────────────────────────────────────────────────────────────────────────────────────


def secret_file(folder: Path, name: str) -> Problem:
    return problem(folder, f'[crm.hub]\nadapter = "hubspot"\naccess_token_file = "{name}"\n')


def test_a_secrets_file_is_named_with_why_it_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    assert "folder is a folder" in secret_file(tmp_path, "folder").what
    assert "latin.txt is not UTF-8 text" in secret_file(tmp_path, "latin.txt").what
    missing = secret_file(tmp_path, "hubspot-token.txt")
    assert "hubspot-token.txt does not exist" in missing.what
    assert str(tmp_path) in missing.remedy


def test_a_file_that_may_not_be_read_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token.txt").write_text("t", encoding="utf-8")
    real = Path.read_text

    def refuse(path: Path, encoding: str | None = None) -> str:
        if path.name == "token.txt":  # who runs the tests may read everything
            raise PermissionError(13, "Permission denied")
        return real(path, encoding=encoding)

    monkeypatch.setattr(Path, "read_text", refuse)
    found = secret_file(tmp_path, "token.txt")
    assert "token.txt may not be read by this user" in found.what
    assert "chmod" in found.remedy


@pytest.mark.parametrize("secret", ["pat-na1-1234-abcdef", "00Dxx!AQ.abc.def", "a" * 300])
def test_a_secret_that_was_pasted_there_is_not_shown(tmp_path: Path, secret: str) -> None:
    found = secret_file(tmp_path, secret)
    assert "cannot be read" in found.what
    assert secret not in str(found)
