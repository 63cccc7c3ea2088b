"""Only the store knows its database."""

import re
from pathlib import Path

import bilancio

SOURCE = Path(bilancio.__file__).parent
STORE = SOURCE / "jobs" / "store"
SEAM = re.compile(
    r"\.database\b(?!_)|jobs\.store\.sqlite|^(import|from) (aiosqlite|sqlite3)", re.MULTILINE
)


def test_only_the_store_touches_its_database_and_knows_sqlite():
    outside = [each for each in SOURCE.rglob("*.py") if not each.is_relative_to(STORE)]
    assert [str(each) for each in outside if SEAM.search(each.read_text())] == []


def test_the_store_opens_sqlite_in_one_place():
    inside = [each for each in STORE.glob("*.py") if "store.sqlite" in each.read_text()]
    assert sorted(each.name for each in inside) == ["location.py", "store.py"]


def test_no_module_of_the_store_is_longer_than_400_lines():
    long = [each for each in STORE.rglob("*.py") if len(each.read_text().splitlines()) > 400]
    assert long == []
