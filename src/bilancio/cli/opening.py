"""Opens files and pages in the programs of the desktop."""

import html
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import typer

from bilancio.cli.render.console import Output

PATIENCE_S = 2.0  # in which an opener says that it has nothing to open a file with


def open_file(path: str) -> None:
    """Open a file, and say so where nothing can."""
    if _opened(path) != 0:
        Output().note(f"Nothing here opens {path}. Open it yourself, in a browser.")


def open_address(address: str, folder: Path) -> None:
    """Open a page in the browser, and say so where there is none.

    The browser is given a file in *folder*, which only its owner should be able to read: an
    address holds a token, and the words that a program is called with are seen by everybody.
    """
    page, to = folder / "bilancio.html", html.escape(address)
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>bilancio</title>'
        f'<meta http-equiv="refresh" content="0;url={to}"><a href="{to}">bilancio</a>\n',
        encoding="utf-8",
    )
    if _opened(str(page)) != 0:
        Output().note("There is no browser here. Open the address yourself.")


def _opened(path: str) -> int:
    """Return the exit code of what opens it; 0 where it goes on with it open."""
    opener = shutil.which("xdg-open")
    if opener is None:
        return typer.launch(path)
    nowhere = subprocess.DEVNULL  # it names each browser that it has not found
    process = subprocess.Popen(  # noqa: S603 - no shell, and a path or an address of ours
        [opener, path], stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    with suppress(subprocess.TimeoutExpired):
        return process.wait(PATIENCE_S)
    return 0
