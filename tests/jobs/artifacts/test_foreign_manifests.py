"""A manifest that came with a clone is read, or refused in a sentence; nothing else happens."""

import contextlib
import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilancio.errors import InvalidInput
from bilancio.jobs.artifacts import discovery
from bilancio.jobs.artifacts.foreign import read_manifest
from bilancio.jobs.artifacts.importing import read_job
from bilancio.jobs.store import open_store

NAME = "calm-blue-river"


def placed(folder, tmp_path, change=None, name=NAME):
    """Copy the job's folder to where a search finds it, its manifest changed."""
    copy = tmp_path / "found" / name
    shutil.copytree(folder, copy)
    path = copy / "job_manifest.json"
    if change is not None:
        manifest = json.loads(path.read_text())
        changed = change(manifest)
        if isinstance(changed, bytes | str):
            path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
        else:
            path.write_text(json.dumps(manifest if changed is None else changed))
    return path


def setting(*keys, value):
    def change(manifest):
        at = manifest
        for key in keys[:-1]:
            at = at[key]
        at[keys[-1]] = value

    return change


def nested(depth):
    return lambda manifest: manifest | {"summary": json.loads('{"a":' * depth + "1" + "}" * depth)}


REFUSED = {
    "100,000 brackets": lambda _: "[" * 100_000,
    "900 levels": nested(900),
    "65 levels": nested(65),
    "a completed job without an end": setting("completed_at", value=None),
    "a pending job with an end": setting("status", value="pending"),
    "NaN": setting("summary", "avg_trading_effect", value=float("nan")),
    "a negative count": setting("run_counts", "completed", value=-1),
    "a count above 2⁶³": setting("run_counts", "completed", value=2**64),
    "a quadrillion of sixteen runs": setting("run_counts", "completed", value=10**15),
    "a fraction of a run": setting("run_counts", "completed", value=15.5),
    "counts that do not add up": setting("run_counts", "pending", value=3),
    "counts of another sweep": lambda m: m | {
        "runs": [], "run_counts": {"total": 8, "completed": 8, "failed": 0, "pending": 0},
    },
    "runs that are not as counted": lambda m: m | {"runs": m["runs"][:3]},
    "a true count": setting("run_counts", "failed", value=False),
    "a negative attempt": setting("attempts", value=-1),
    "the year 0": setting("created_at", value="0000-01-01T00:00:00Z"),
    "the year 9999": setting("created_at", value="9999-12-31T23:59:59.999999Z"),
    "the 31st of February": setting("started_at", value="2026-02-31T00:00:00Z"),
    "a moment without a zone": setting("created_at", value="2026-03-01T12:00:00"),
    "a moment in numbers": setting("created_at", value=1e9),
    "a lone surrogate": setting("tags", value=["\ud800"]),
    "a NUL": setting("notes", value="a\0b"),
    "51 tags": setting("tags", value=[f"t{n}" for n in range(51)]),
    "an empty tag": setting("tags", value=[""]),
    "a long description": setting("description", value="x" * 10_001),
    "a number for a text": setting("description", value=3),
    "a text for a truth": setting("manual", value="yes"),
    "another name's spelling": setting("job_id", value="../../etc/passwd"),
    "no name": setting("job_id", value=None),
    "an unknown sweep": setting("config", "sweep_type", value="nothing-known"),
    "a sweep without a type": setting("config", value={}),
    "a configuration of another kind": setting("config", value=[1]),
    "a changed configuration": setting("config", "n_agents", value=11),
    "a summary of another kind": setting("summary", value=[1, 2]),
    "a huge number": setting("summary", "avg_trading_effect", value=10**400),
    "5,000 digits": lambda m: json.dumps(m).replace('"attempts": 1', '"attempts": ' + "1" * 5000),
    "a large provenance": setting("provenance", value={"x": "y" * 70_000}),
    "a list": lambda _: "[]",
    "nothing": lambda _: "",
    "binary": lambda _: bytes(range(256)),
    "Latin-1": lambda m: json.dumps(m | {"notes": "é"}, ensure_ascii=False).encode("latin-1"),
    "17 MiB": lambda m: json.dumps(m) + " " * (17 << 20),
}  # fmt: skip


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
async def test_an_odd_manifest_is_skipped_by_searches_and_named_when_imported(
    folder, other, tmp_path, change
):
    path = placed(folder, tmp_path, change)
    assert (await other.list_jobs()).total == 0
    assert await other.get_job(NAME) is None
    found = await other.import_jobs([path.parent.parent])
    (reason,) = found.refused.values()
    assert list(found.refused) == [str(path)]
    assert "allowed" in reason
    assert len(reason) < 3000
    assert (await other.list_jobs()).total == 0
    assert [str(path)] == [
        str(each)
        for each in await discovery.refused_manifests(await other.store(), [tmp_path / "found"])
    ]


async def test_a_job_is_found_by_name_whatever_its_tables_are(folder, other, tmp_path):
    path = placed(folder, tmp_path)
    for name in ("runs.csv", "cells.csv", "comparison.csv"):
        path.with_name(name).write_bytes(b"\xff")
    job = await other.get_job("calm blue rivr")
    assert (job.job_id, job.completed_runs) == (NAME, 16)


async def test_an_odd_manifest_does_not_keep_others_from_being_found(folder, other, tmp_path):
    placed(folder, tmp_path, REFUSED["100,000 brackets"], name="a-first-one")
    placed(folder, tmp_path)
    assert [job.job_id for job in (await other.list_jobs()).jobs] == [NAME]


@pytest.mark.parametrize(
    "summary", [{}, {"total_runs": 16}, {"avg_trading_effect": "much"}, {"summary_error": "none"}]
)
async def test_a_summary_that_says_nothing_to_the_experiment_does_not_break_the_answer(
    folder, other, tmp_path, summary
):
    placed(folder, tmp_path, setting("summary", value=summary))
    results = await other.results(NAME, group_by=["kappa"])
    assert len(results.table.rows) == 2


async def test_control_characters_are_stored_whole(folder, other, tmp_path):
    text = "\x1b]0;title\x07 \x9b2J ok"
    placed(folder, tmp_path, setting("description", value=text))
    assert (await other.get_job(NAME)).description == text


def replaced(path, kind):
    """Put something that is not a regular file into the place of *path*."""
    content = path.parents[2] / "content"
    path.rename(content)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(content)
        case "device":
            path.symlink_to("/dev/zero")


KINDS = ("pipe", "folder", "link", "device")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_manifest_that_is_no_regular_file_is_refused_and_not_waited_for(
    folder, other, tmp_path, kind
):
    path = placed(folder, tmp_path)
    replaced(path, kind)
    assert (await other.list_jobs()).total == 0
    found = await other.import_jobs([path.parent])
    assert len(found.refused) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_table_that_is_no_regular_file_is_left_out_and_not_waited_for(
    folder, other, tmp_path, kind
):
    path = placed(folder, tmp_path).with_name("runs.csv")
    replaced(path, kind)
    assert (await other.list_jobs()).total == 1
    found = await other.import_jobs([path.parent])
    assert list(found.left_out) == [str(path)]


def lines(change):
    """Change the lines of runs.csv."""

    def damage(folder):
        before = (folder / "runs.csv").read_text().splitlines()
        (folder / "runs.csv").write_text("\n".join(change(before)) + "\n")

    return damage


def last(column, text):
    """Put *text* into a column of the last line."""

    def change(before):
        fields = before[-1].split(",")
        fields[before[0].split(",").index(column)] = text
        return [*before[:-1], ",".join(fields)]

    return lines(change)


def more(name):
    """Add a column."""
    return lines(lambda before: [f"{before[0]},{name}", *(f"{each},1" for each in before[1:])])


def content(data):
    return lambda folder: (folder / "runs.csv").write_bytes(data)


DAMAGED = {
    "a million columns": lines(lambda each: [",".join(map(str, range(10**6))), *each[1:]]),
    "a gigantic field": last("delta_total", "9" * 200_000),
    "one line of 20 MB": lines(lambda each: [*each, "x" * 20_000_000]),
    "NaN": last("delta_total", "nan"),
    "an infinite number": last("delta_total", "inf"),
    "a number that is too large": last("delta_total", "1e999"),
    "a count that is too large": last("n_defaults", "9" * 19),
    "a word for a code": last("end", "never"),
    "a run twice": lines(lambda each: [*each, each[-1]]),
    "a run left out": lines(lambda each: [*each[:3], *each[4:]]),
    "runs out of order": lines(lambda each: [each[0], *reversed(each[1:])]),
    "a column twice": more("index"),
    "a column without a name": more(""),
    "no index": lines(lambda each: [each[0].replace("index", "place"), *each[1:]]),
    "binary": content(bytes(range(256)) * 20),
    "nothing": content(b""),
    "NUL": content(b"run_id,index\n\0,\0\n"),
    "Latin-1": content("run_id,index,é\n".encode("latin-1")),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
async def test_nothing_is_stored_of_a_damaged_table(folder, other, tmp_path, damage):
    path = placed(folder, tmp_path)
    for name in ("cells.csv", "comparison.csv"):
        path.with_name(name).unlink()
    damage(path.parent)
    found = await other.import_jobs([path])
    (reason,) = found.left_out.values()
    assert "allowed" in reason
    assert len(reason) < 3000
    store = await other.store()
    assert await store.chunks(NAME) == []
    assert [job.completed_runs for job in found.jobs] == [16]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_whatever_is_changed_in_a_manifest_a_listing_answers(folder, tmp_path, data):
    """Some value anywhere in it becomes another: the job is found, or it is left out."""
    manifest = json.loads((folder / "job_manifest.json").read_text())
    manifest["runs"] = manifest["runs"][:2] if data.draw(st.booleans()) else manifest["runs"]
    at = manifest
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not at[key] or not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(JSON)
    path = tmp_path / "mutated" / NAME / "job_manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest))
    with contextlib.suppress(InvalidInput):
        assert read_manifest(path).job_id == read_job(path).row["job_id"]
    store = await open_store(str(tmp_path / "mutated.db"))
    try:
        await discovery.import_unknown(store, [tmp_path / "mutated"])
        await store.jobs()
    finally:
        await store.close()
        (tmp_path / "mutated.db").unlink(missing_ok=True)
