"""Every test has a store and folders of its own; nobody's own store is ever touched."""

from pathlib import Path

import platformdirs
import pytest

# Compiled kernels and downloaded packages are shared by all tests; they are nobody's data.
CACHE_HOME = platformdirs.user_cache_path()


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point every setting and home folder into the test's own folder; return that."""
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{tmp_path / 'store' / 'bilancio.db'}")
    monkeypatch.setenv("BILANCIO_OUT_DIR", str(tmp_path / "out"))
    for name in ("BILANCIO_WORKERS", "BILANCIO_LEASE_S", "BILANCIO_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE_HOME))
    return tmp_path
