"""`afterword run` may open more files than a flood of connections takes, whatever limit it was started with."""

import resource
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
soft, hard = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from connector.web.server.file_limit import raise_file_limit
print(raise_file_limit(500), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "then"),
    [(256, 1000, 500, 500), (256, 300, 300, 300), (800, 1000, 500, 800)],
    ids=["raised", "as far as it goes", "high enough"],
)
def test_the_limit_of_open_files_is_raised_as_far_as_needed(soft: int, hard: int, asked: int, then: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= hard
    words = [sys.executable, "-c", SCRIPT, str(soft), str(hard)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == [str(asked), str(then)]
