"""A lease whose holder has died is free at once."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from databases import BOTH_DATABASES

from connector.store import Store
from connector.store.ops.leases import acquire

HOLDER = textwrap.dedent("""
    import sys
    from connector.store import Store
    from connector.store.ops.leases import acquire
    assert acquire(Store(sys.argv[1]), "read:acme") is not None
    print("held", flush=True)
    sys.stdin.read()
    """)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only a /proc tells zombies from the living")
@BOTH_DATABASES
def test_a_holder_that_nobody_has_buried_yet_is_dead(store: Store) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, store.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert acquire(store, "read:acme") is None
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
        assert acquire(store, "read:acme") is not None
