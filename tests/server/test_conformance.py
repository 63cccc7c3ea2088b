"""The protocol's own conformance suite, over HTTP, in both requirement sets that it has."""

import contextlib
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.server.programs import environment, program

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(600)]

SERVE = [sys.executable, str(Path(__file__).with_name("over_http.py"))]

#: Scenarios that need nothing of the suite's own reference server, by the revision of the
#: protocol that they are asked in.
REQUIRED = {
    "2025-11-25": {
        "server-initialize", "ping", "completion-complete", "tools-list",
        "tools-call-simple-text", "tools-call-error", "server-sse-multiple-streams",
        "resources-list", "prompts-list", "dns-rebinding-protection", "server-session-lifecycle",
    },
    "2026-07-28": {
        "completion-complete", "tools-list", "tools-call-simple-text", "tools-call-error",
        "server-sse-multiple-streams", "resources-list", "prompts-list",
        "dns-rebinding-protection", "sep-2164-resource-not-found", "caching",
        "http-header-validation", "input-required-result-missing-input-response",
        "input-required-result-unsupported-methods", "input-required-result-ignore-extra-params",
        "input-required-result-validate-input",
    },
}  # fmt: skip

#: Scenarios, or single checks of one, that cannot pass here, by the reason why.
NOT_APPLICABLE = {
    "asks for a tool of the reference server, and our refusal is no such tool's answer": {
        "tools-call-image", "tools-call-audio", "tools-call-embedded-resource",
        "tools-call-mixed-content", "tools-call-with-logging", "tools-call-with-progress",
        "tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults",
        "elicitation-sep1330-enums", "json-schema-2020-12", "server-sse-polling",
        "http-custom-header-server-validation",
        "server-stateless:sep-2575-server-rejects-undeclared-capability",
        "server-stateless:sep-2575-missing-capability-http-400",
        "input-required-result-basic-elicitation", "input-required-result-basic-sampling",
        "input-required-result-basic-list-roots", "input-required-result-request-state",
        "input-required-result-multiple-input-requests", "input-required-result-multi-round",
        "input-required-result-result-type", "input-required-result-tampered-state",
        "input-required-result-capability-check",
    },
    "asks for a resource or a prompt of the reference server": {
        "resources-read-text", "resources-read-binary", "resources-templates-read",
        "prompts-get-simple", "prompts-get-with-args", "prompts-get-embedded-resource",
        "prompts-get-with-image", "input-required-result-non-tool-request",
    },
    "our log goes to standard error, not to the client, and no such capability is declared": {
        "logging-set-level",
    },
    "no subscription is declared: how far a job is, is asked": {
        "resources-subscribe", "resources-unsubscribe",
    },
    "an extension, which is not declared: jobs outlive what a task of the protocol is": {
        "tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields",
        "tasks-request-state-removal", "tasks-mrtr-input", "tasks-request-headers",
        "tasks-dispatch-and-envelope", "tasks-required-task-error", "tasks-mrtr-composition",
    },
}  # fmt: skip
EXCUSED = {each for scenarios in NOT_APPLICABLE.values() for each in scenarios}


@contextlib.contextmanager
def served(log: Path):
    """Serve over HTTP in a process of its own; yield the address. What it logs goes to *log*."""
    with (
        log.open("w") as stderr,
        subprocess.Popen(SERVE, stdout=subprocess.PIPE, stderr=stderr, text=True) as server,
    ):
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def checked(url: str, revision: str, folder: Path) -> dict[str, dict[str, str]]:
    """Return what the suite finds, by scenario: which check failed, and why."""
    command = [
        program("node"), program("conformance"), "server", "--url", url,
        "--requirements", revision, "--output-dir", str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert "=== SUMMARY ===" in done.stdout, done.stdout + done.stderr
    failed: dict[str, dict[str, str]] = defaultdict(dict)
    for file in folder.glob("*/checks.json"):
        scenario = re.fullmatch(r"server-(.+?)-\d{4}-\d\d-\d\dT[\d-]+Z", file.parent.name)[1]
        for check in json.loads(file.read_text()):
            found = failed[scenario]
            if check["status"] == "FAILURE":
                found[check["id"]] = check.get("errorMessage", "")
    return dict(failed)


@pytest.mark.parametrize("revision", REQUIRED)
def test_the_server_conforms_to_the_protocol(revision, tmp_path):
    program("conformance")  # or skip before anything starts
    log = tmp_path / "server.log"
    with served(log) as url:
        failed = checked(url, revision, tmp_path / "results")
    assert REQUIRED[revision] <= failed.keys()
    wrong = {
        f"{scenario}:{check}": why
        for scenario, checks in failed.items()
        for check, why in checks.items()
        # What is sent has to have the shape of the protocol even where a scenario cannot pass.
        if check == "wire-schema-valid" or not {scenario, f"{scenario}:{check}"} & EXCUSED
    }
    assert wrong == {}
    passed = {scenario for scenario, checks in failed.items() if not checks}
    assert {each for each in EXCUSED if each.partition(":")[0] in passed} == set()
    assert "Traceback" not in log.read_text()
