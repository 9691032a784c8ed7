"""SIGTERM ends the service in time, whatever it waits for."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

CONFIG = """
[web]
listen = "127.0.0.1:{web}"
public_url = "https://feedback.acme.example"
secret = "a secret that is only good for this test, long enough"
[crm.acme]
adapter = "salesforce"
url = "https://127.0.0.1:{crm}"
auth = "token"
access_token = "x"
"""


def is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60).ok
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_crm_that_does_not_answer_holds_nobody_up(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            web = probe.getsockname()[1]
        (tmp_path / "config.toml").write_text(CONFIG.format(web=web, crm=silent.getsockname()[1]), encoding="utf-8")
        words = [sys.executable, "-m", "connector.cli.app", "run", "-c", str(tmp_path / "config.toml")]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            call, _address = silent.accept()  # the lap has called, and is never answered
            with call:
                while not is_up(web):
                    assert process.poll() is None
                    time.sleep(0.1)
                process.send_signal(number)
                assert process.wait(10) == 0
            assert process.stderr is not None
            assert "did not come back" in process.stderr.read()
