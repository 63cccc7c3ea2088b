"""How bilancio came into this environment, and so how an extra is added to it.

Tools that give a command an environment of its own leave a note in it. ``pip install`` beside it
would go into another environment.
"""

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

_NAME = "bilancio"
_FOR_ONE_COMMAND = "archive-v"  # how uv's cache names the folders of such environments


def how_to_add(extra: str) -> str:
    """Return what installs *extra* beside what is installed, as a sentence goes on with it."""
    environment = Path(sys.prefix)
    try:
        if (found := _of_uv_tool(environment)) is not None:
            return f"uv tool install {_with(extra, found)}"
        if (found := _of_pipx(environment)) is not None:
            return f"pipx install --force {_with(extra, found)}"
        found = _of_file()
        of_clone = bool(_direct_url().get("dir_info", {}).get("editable"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        found, of_clone = None, False  # a note as some other version writes it
    asked = _with(extra, found or _NAME)
    if environment.parent.name.startswith(_FOR_ONE_COMMAND):
        return f"uvx --from {asked} {_NAME}"
    pip = shutil.which("pip")
    if pip is not None and Path(pip).parent == Path(sys.executable).parent:
        return f"pip install {asked}{_or_in_clone(extra, of_clone)}"
    if _made_by_uv(environment):
        if of_clone:
            return f"uv sync --extra {extra}"
        if (environment.parent / "uv.lock").exists():
            return f"uv add {asked}"
        return f"uv pip install --python {shlex.quote(sys.executable)} {asked}"
    python = shlex.quote(sys.executable)
    return f"{python} -m pip install {asked}{_or_in_clone(extra, of_clone)}"


def _or_in_clone(extra: str, of_clone: bool) -> str:
    return f", or in a clone with uv sync --extra {extra}" if of_clone else ""


def _made_by_uv(environment: Path) -> bool:
    """Return whether uv made the environment, and so without pip."""
    try:
        lines = (environment / "pyvenv.cfg").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)


def _of_uv_tool(environment: Path) -> str | None:
    """Return what `uv tool install` was given; None where it was not used."""
    note = environment / "uv-receipt.toml"
    if not note.exists():
        return None
    import tomllib  # not loaded at each start for what is nearly never asked

    requirements = tomllib.loads(note.read_text("utf-8"))["tool"]["requirements"]
    [asked] = [each for each in requirements if each["name"] == _NAME]
    extras = f"[{','.join(asked['extras'])}]" if asked.get("extras") else ""
    for kind in ("directory", "editable", "path"):
        if kind in asked:
            return f"{asked[kind]}{extras}"
    for kind, scheme in {"url": "", "git": "git+"}.items():
        if kind in asked:
            return f"{_NAME}{extras} @ {scheme}{asked[kind]}"
    return f"{_NAME}{extras}"


def _of_pipx(environment: Path) -> str | None:
    """Return what `pipx install` was given; None where it was not used."""
    note = environment / "pipx_metadata.json"
    if not note.exists():
        return None
    return str(json.loads(note.read_text("utf-8"))["main_package"]["package_or_url"])


def _of_file() -> str | None:
    """Return the file or address that was installed; None of a package index and a clone."""
    found = _direct_url()
    if not found or found.get("dir_info", {}).get("editable"):
        return None
    scheme = "git+" if "vcs_info" in found else ""
    return f"{_NAME} @ {scheme}{found['url']}"


def _direct_url() -> dict[str, Any]:
    """Return where an installer took bilancio from; nothing of a package index."""
    from importlib import metadata  # as tomllib

    note = metadata.distribution(_NAME).read_text("direct_url.json")
    found: dict[str, Any] = json.loads(note) if note else {}
    return found


def _with(extra: str, asked: str) -> str:
    """Return the requirement *asked* with *extra* beside the extras that it has, for a shell."""
    package, at, place = asked.partition(" @ ")
    name, bracket, extras = package.removesuffix("]").rpartition("[")
    if not (bracket and package.endswith("]")):
        name, extras = package, ""
    every = sorted({*filter(None, extras.split(",")), extra})
    return f"'{name}[{','.join(every)}]{at}{place}'"
