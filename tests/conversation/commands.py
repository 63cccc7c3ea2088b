"""The commands that ask what calls of tools ask, and whether both answer alike."""

import json

from bilancio_mcp.sizes import six_digits

OPTIONS = {
    "job_results": (
        "of", "group_by", "measures", "where", "order_by", "contrast", "pivot", "bins",
        "precision", "limit", "offset",
    ),
    "list_jobs": (
        "status", "sweep_type", "tag", "text", "since", "until", "min_runs", "varied", "limit",
        "offset",
    ),
    "compare_jobs": ("group_by", "measures"),
    "job_status": (),
}  # fmt: skip
VERBS = {
    "job_results": "results", "list_jobs": "list", "compare_jobs": "compare", "job_status": "show",
}  # fmt: skip


def command_of(tool, asked):
    """Return the words of the command that asks the same; none for what changes or waits."""
    if tool not in VERBS or "wait_s" in asked:
        return []
    names = asked.get("job_ids") or [asked["job_id"]] if tool != "list_jobs" else []
    words = ["jobs", VERBS[tool], *names, "--json"]
    for name in OPTIONS[tool]:
        if name in asked:
            words += [f"--{name.replace('_', '-')}", _text(asked[name])]
    return [*words, "--effects"] if asked.get("effects") else words


def _text(value):
    if isinstance(value, dict):
        return json.dumps(value)
    return ",".join(value) if isinstance(value, list) else str(value)


def same_numbers(tool, answer, document):
    """Compare what a tool has answered with the document of a command."""
    match tool:
        case "job_results":
            _same_results(answer, document)
        case "list_jobs":
            assert document["total"] == answer["total"]
            named = [job["job_id"] for job in document["jobs"]]
            assert named[: len(answer["jobs"])] == [job["job_id"] for job in answer["jobs"]]
        case "compare_jobs":
            _same_table(answer.get("table"), document["table"])
        case "job_status":
            for name in ("completed_runs", "failed_runs", "total_runs"):
                assert document["job"][name] == answer[name]


def _same_results(answer, document):
    summary = six_digits(document["summary"])
    for name, value in answer.get("findings", {}).items():
        if name not in {"verdicts", "frontier"}:  # cut; what searches found is a table, too
            assert summary[name] == value
    for name in ("table", "contrasts", "effects", "frontier"):
        _same_table(answer.get(name), document.get(name))


def _same_table(seen, whole):
    """Check that the columns and rows seen are among those of the whole table."""
    if seen is None:
        return
    places = [whole["columns"].index(name) for name in seen["columns"]]
    for row, other in zip(seen["rows"], whole["rows"], strict=False):
        assert six_digits(row) == six_digits([other[place] for place in places])
