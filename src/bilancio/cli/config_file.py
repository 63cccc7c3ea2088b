"""Reads a sweep from a file: YAML with parameters by name, or a job's manifest.

A file may come from anywhere. It is read within limits, only plain values are taken, and numbers
that YAML reads in another way than people do (010, 1:30) are not read as such.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bilancio.cli.older_config import is_older, translated
from bilancio.cli.parsing import refuse_unknown
from bilancio.encoding import MAX_BYTES, MAX_DEPTH, from_json
from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.experiments.presets import FIELD
from bilancio.experiments.sweep_config import SweepConfig

#: What a file may say of a job beside the parameters of its sweep.
JOB_KEYS = ("description", "notes", "tags")
MAX_YAML_BYTES = 1 << 20  # a larger one takes minutes to parse
MAX_VALUES = 100_000  # with what aliases stand for written out
MAX_DIGITS = 4000
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_YAML = "tag:yaml.org,2002:"


class SweepFile(NamedTuple):
    """What a file says.

    Attributes
    ----------
    parameters
        Of the sweep, by field.
    about
        What it says of the job: those of `JOB_KEYS`, and from an older tool's file `out_dir`.
    notes
        What is read otherwise than in the tool that the file was made for, in sentences.
    """

    parameters: dict[str, Any]
    about: dict[str, Any]
    notes: list[str]


def read_config_file(path: Path, model: type[SweepConfig]) -> SweepFile:
    """Read a sweep from a file.

    Raises
    ------
    InvalidInput
        It cannot be read, is for another sweep, or holds names that do not exist.
    """
    found = _loaded(path)
    notes: list[str] = []
    if "config" in found and "job_id" in found:  # a manifest: the same sweep once more
        if not isinstance(found["config"], Mapping):
            raise invalid(f"{path}: config", found["config"], "parameters by name")
        found = {name: found[name] for name in JOB_KEYS if name in found} | {**found["config"]}
    about: dict[str, Any] = {}
    if is_older(found):
        found, notes = translated(path, found, model)
        about = {name: found.pop(name) for name in ("out_dir",) if name in found}
    known = [*model.model_fields, *JOB_KEYS, *([FIELD] if model.presets else [])]
    refuse_unknown(str(path), list(found), known)
    wanted = model.model_fields["sweep_type"].default
    if found.setdefault("sweep_type", wanted) != wanted:
        raise invalid(f"{path}: sweep_type", found["sweep_type"], f"{wanted}, as the command says")
    about |= {name: found.pop(name) for name in JOB_KEYS if name in found}
    return SweepFile(found, about, notes)


class _Refused(Exception):
    """Why a file is not taken."""


def _loaded(path: Path) -> dict[str, Any]:
    """Return the names and values of a file."""
    try:
        text = _text(path)
        found = from_json(text) if path.suffix == ".json" else _Reader(path).read(text)
        if not isinstance(found, dict):
            raise _Refused(f"it holds {_kind_of(found)}")  # noqa: TRY301 - told with the others
        json.dumps(found, ensure_ascii=False).encode()
    except OSError as error:
        allowed = f"a file that can be read ({error.strerror or error})"
        raise invalid("config", str(path), allowed) from None
    except InvalidInput:
        raise
    except UnicodeEncodeError:
        raise _refused(path, "it holds text that is not Unicode (a lone surrogate)") from None
    except (_Refused, ValueError) as error:
        raise _refused(path, str(error)) from None
    return found


def _refused(path: Path, reason: str) -> InvalidInput:
    allowed = "a YAML file with a parameter's name and value on each line"
    return InvalidInput([Problem("config", f"{shown(str(path))} ({reason})", allowed)])


def _text(path: Path) -> str:
    """Return what a regular file holds; a pipe would be waited for, a device never ends."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _Refused("it is not a regular file")
    with os.fdopen(file, "rb") as opened:
        limit = MAX_BYTES if path.suffix == ".json" else MAX_YAML_BYTES
        data = opened.read(limit + 1)
    if len(data) > limit:
        raise _Refused(f"it is larger than {limit >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Refused("it is not UTF-8 text") from None


class _Reader:
    """Reads plain values from YAML: text, numbers as they are written, lists, names with values."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = 0

    def read(self, text: str) -> Any:
        """Return what *text* says; None where it says nothing."""
        try:
            node = yaml.compose(text, yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"line {mark.line + 1}: " if mark else ""
            raise _Refused(f"{where}{error.problem or error.context}") from None
        except yaml.YAMLError as error:
            raise _Refused(" ".join(str(error).split())) from None
        except RecursionError:
            raise _Refused("it is nested too deeply") from None
        return None if node is None else self._value(node, MAX_DEPTH)

    def _value(self, node: yaml.Node, depth: int) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _Refused(f"it holds more than {MAX_VALUES:,} values")
        if depth == 0:
            raise _Refused("it is nested too deeply")
        match node, node.tag.removeprefix(_YAML):
            case yaml.ScalarNode(), kind:
                return _scalar(node, kind)
            case yaml.SequenceNode(), "seq":
                return [self._value(each, depth - 1) for each in node.value]
            case yaml.MappingNode(), "map":
                return self._mapping(node, depth)
            case _:
                raise _unknown_tag(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Refused(f"{_line(key)}: a name must be text")
            if key.tag == f"{_YAML}merge":
                raise _unknown_tag(key)
            if key.value in found:
                raise invalid(f"{self._path}: {key.value}", "two values", "each name once")
            found[key.value] = self._value(value, depth - 1)
        return found


def _scalar(node: yaml.ScalarNode, kind: str) -> Any:
    """Return a value; a number with a point stays text, which is exact."""
    text: str = node.value
    match kind:
        case "str" | "float" | "timestamp":
            return text
        case "null":
            return None
        case "bool":
            return yaml.SafeLoader.bool_values[text.lower()]
        case "int":
            return _whole(node)
        case _:
            raise _unknown_tag(node)


def _whole(node: yaml.ScalarNode) -> int | str:
    """Return a whole number; what is written with colons stays text, for a range is."""
    text: str = node.value
    if ":" in text:
        return text
    if not _DECIMAL.fullmatch(text):
        raise _Refused(
            f"{_line(node)}: {shown(text)} is not a decimal number; write it without leading "
            "zeros, or in quotes if it is text"
        )
    digits = text.replace("_", "")
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _unknown_tag(node: yaml.Node) -> _Refused:
    tag = node.tag.replace(_YAML, "!!")
    return _Refused(f"{_line(node)}: {shown(tag)} is not allowed; plain values only")


def _line(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"


def _kind_of(found: object) -> str:
    if found is None:
        return "nothing"
    return "a list" if isinstance(found, list) else "a single value"
