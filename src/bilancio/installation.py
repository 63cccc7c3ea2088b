"""How bilancio came into this environment, and so how an extra is added to it.

Tools that give a command an environment of its own leave a note in it. ``pip install`` beside it
would go into another environment.
"""

import json
import sys
from pathlib import Path

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
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        found = None  # a note as some other version writes it
    asked = _with(extra, found or _NAME)
    if environment.parent.name.startswith(_FOR_ONE_COMMAND):
        return f"uvx --from {asked} {_NAME}"
    return f"pip install {asked}" + (
        "" if found else f", or in a clone with uv sync --extra {extra}"
    )


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
    from importlib import metadata  # as tomllib

    note = metadata.distribution(_NAME).read_text("direct_url.json")
    found = json.loads(note) if note else {}
    if not found or found.get("dir_info", {}).get("editable"):
        return None
    scheme = "git+" if "vcs_info" in found else ""
    return f"{_NAME} @ {scheme}{found['url']}"


def _with(extra: str, asked: str) -> str:
    """Return the requirement *asked* with *extra* beside the extras that it has, for a shell."""
    package, at, place = asked.partition(" @ ")
    name, bracket, extras = package.removesuffix("]").rpartition("[")
    if not (bracket and package.endswith("]")):
        name, extras = package, ""
    every = sorted({*filter(None, extras.split(",")), extra})
    return f"'{name}[{','.join(every)}]{at}{place}'"
