"""Any text and number is stored whole, made storable, or refused in a sentence."""

import json
import math
import sqlite3

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs.models import JobStatus
from bilancio.jobs.store import Criteria, FinishedBatch
from tests.jobs.store.kit import CONFIG, SQLITE, record, rows

ODD = {"a lone surrogate": "a\ud800b", "a NUL": "a\0b", "bytes of another encoding": "a\udcffb"}
HARMLESS = {
    "nothing": "",
    "controls": "\x1b[31m\x07\x9b\u2028",
    "signs of all planes": "Ω€\U0001f600\u0301",
    "a million": "x" * 10**6,
    "quotes": "'; DROP TABLE jobs; --\"\\",
}


def add(store, isolated, **given):
    row = {"description": "try", "notes": "", "tags": (), "engine": "e1", "executor": "local"}
    return store.add(given.pop("job_id", "new-job"), CONFIG, out_dir=isolated, **row | given)


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.parametrize("column", ["description", "notes", "tags"])
async def test_text_is_stored_whole(store, isolated, column, text):
    given = (text,) if column == "tags" else text
    await add(store, isolated, **{column: given})
    assert getattr(await store.job("new-job"), column) == given


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("column", ["description", "notes", "engine", "executor", "request_key"])
async def test_text_that_no_database_holds_is_refused_in_a_sentence(store, isolated, column, text):
    with pytest.raises(InvalidInput, match=rf"^{column}: got .*; allowed: text in Unicode"):
        await add(store, isolated, **{column: text})
    assert await store.job_ids() == []


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_a_question_for_a_name_that_cannot_be_is_refused(store, job, text):
    with pytest.raises(InvalidInput, match="job_id: got"):
        await store.job(text)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_errors_of_runs_and_jobs_are_stored_whatever_they_say(store, lease, text):
    """They come from anybody's code: one of them must not cost the batch."""
    await record(store, lease, rows(0, 1), {2: text})
    await store.end(lease, JobStatus.FAILED, error=text)
    job = await store.job("my-job")
    (error,) = (await store.failed_runs("my-job")).values()
    assert error == job.error
    assert error.isascii() or "\N{SYMBOL FOR NULL}" in error
    assert (error[0], error[-1]) == ("a", "b")


async def test_numbers_that_are_none_are_null_in_every_json(store, lease):
    odd = {"nan": math.nan, "inf": [math.inf], "np": np.float64("nan"), "n": np.int64(3), "x": 1.5}
    known = {"nan": None, "inf": [None], "np": None, "n": 3, "x": 1.5}
    await store.confirm(lease, pid=1, host="h", provenance=odd, lease_s=30)
    batch = FinishedBatch(chunks=rows(0, 1), details={"means": odd}, compute_s=0.1)
    await store.record(lease, [batch], lease_s=30)
    await store.end(lease, JobStatus.COMPLETED, summary=odd)
    job = await store.job("my-job")
    assert (job.summary, job.provenance) == (known, known)
    _, _, progress, completed = await store.events("my-job")
    assert (progress.details, completed.details) == ({"means": known}, {"summary": known})
    for row in await store.database.read("events", job_id="my-job", after=0, limit=9):
        json.loads(row["details"], parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "summary",
    [{"x": object()}, {"x": {1, 2j}}, {"x": b"bytes"}],
    ids=["an object", "a complex number", "bytes"],
)
async def test_a_summary_that_json_does_not_hold_is_refused_and_changes_nothing(
    store, lease, summary
):
    with pytest.raises(InvalidInput, match=r"summary: got .*; allowed: values that JSON holds"):
        await store.end(lease, JobStatus.COMPLETED, summary=summary)
    assert (await store.job("my-job")).status is JobStatus.RUNNING


@pytest.mark.parametrize("depth", [100, 100_000])
async def test_a_summary_that_is_nested_too_deep_is_refused(store, lease, depth):
    summary = {}
    for _ in range(depth):
        summary = {"x": summary}
    with pytest.raises(InvalidInput, match="nested too deep'; allowed: at most 64 levels"):
        await store.end(lease, JobStatus.COMPLETED, summary=summary)


async def test_a_summary_that_holds_itself_is_refused(store, lease):
    summary = {}
    summary["x"] = summary
    with pytest.raises(InvalidInput, match="nested too deep"):
        await store.end(lease, JobStatus.COMPLETED, summary=summary)


async def test_a_number_beyond_64_bits_is_refused_in_a_sentence(store, lease):
    for odd in (2**63, -(2**63) - 1, 10**30):
        with pytest.raises(InvalidInput, match=r"pid: got .*; allowed: whole numbers of up to 64"):
            await store.confirm(lease, pid=odd, host="h", provenance={}, lease_s=30)
    await store.confirm(lease, pid=2**63 - 1, host="h", provenance={}, lease_s=30)
    assert (await store.job("my-job")).holder.pid == 2**63 - 1


async def test_whole_numbers_beyond_64_bits_in_a_summary_come_back_whole(store, lease):
    await store.end(lease, JobStatus.COMPLETED, summary={"x": 10**30})
    assert (await store.job("my-job")).summary == {"x": 10**30}


@SQLITE
async def test_a_value_larger_than_a_row_is_refused_in_a_sentence(store, job):
    await store.database._writer._execute(
        lambda: store.database._writer._conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
    )
    from bilancio.errors import StoreUnavailable

    with pytest.raises(StoreUnavailable, match="larger than a row can hold"):
        await store.cancel("my-job", "x" * 20_000)
    assert (await store.job("my-job")).status is JobStatus.PENDING


@pytest.mark.parametrize(
    "text", ["%", "_", "'", '"', "\\", "TRY", "x" * 100_000, "*", "[", "]", ","]
)
async def test_any_text_can_be_searched_for(store, job, text):
    found = await store.jobs(Criteria(words=[text], tag=text))
    assert found.total == 0
    assert (await store.jobs(Criteria(words=[text]))).total == (text == "TRY")


@pytest.mark.parametrize("text", ["straße", "STRASSE", "ωμέγα", "ΩΜΈΓΑ", "zwölf", "ZWÖLF", 'a "b"'])
async def test_words_and_tags_are_found_in_any_case(store, isolated, text):
    await add(store, isolated, job_id="words-job", description='Straße Ωμέγα Zwölf a "b"')
    await add(store, isolated, job_id="tags-job", tags=("Straße", "Ωμέγα", "Zwölf", 'a "b"'))
    await add(store, isolated, job_id="other-job", tags=("x", "y"))
    assert {job.job_id for job in (await store.jobs(Criteria(words=[text]))).jobs} == {
        "words-job",
        "tags-job",
    }
