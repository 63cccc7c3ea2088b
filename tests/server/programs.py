"""Clients that are not ours: programs that npm has put below `.ci/clients`."""

import os
import shutil

import pytest

from tests.server.talk import ROOT

PROGRAMS = ROOT / ".ci" / "clients" / "node_modules" / ".bin"


def places() -> str:
    """Return the folders with programs, those from npm first: the system's Node may be old."""
    return os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")])


def program(name: str) -> str:
    """Return the path of a program; where it is missing a test skips at home and fails in CI."""
    if found := shutil.which(name, path=places()):
        return found
    message = f"{name} is missing: npm install --prefix .ci/clients --no-package-lock"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def environment() -> dict[str, str]:
    """Return the environment in which such a program finds its Node."""
    return {**os.environ, "PATH": places()}
