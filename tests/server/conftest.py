"""The server is started from the clone, and looks for jobs in the test's own folder."""

import pytest

from tests.server.talk import ROOT


@pytest.fixture(autouse=True)
def _clone(isolated, monkeypatch):
    """Have `uv run` find the project: the working folder is not the clone.

    A clone has jobs of its own below `out/experiments` once somebody has tried it.
    """
    monkeypatch.setenv("UV_PROJECT", str(ROOT))
