"""`bilancio jobs compare`: jobs less the others, and whether headlines may be compared."""

import csv
import io

import pytest

from bilancio.jobs import JobManager
from tests.cli.conftest import at

SWEEP = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "0.5"], "n_replicates": 3}
NAMES = ("calm-ring-1", "calm-ring-2", "calm-ring-3")


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Carry three comparisons out, in a folder that the tests of this module share."""
    folder = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        at(folder, patch)
        with JobManager() as manager:
            for name, share in zip(NAMES, ("0.1", "0.2", "0.3"), strict=True):
                manager.create_job("as others", SWEEP | {"dealer_share": share}, job_id=name)
                manager.run_job(name)
    return folder


@pytest.fixture
def three(compared, monkeypatch):
    at(compared, monkeypatch)


def test_jobs_are_compared_and_their_headlines_judged(bilancio, three):
    two = bilancio("jobs", "compare", "Calm_Ring_1", NAMES[1])
    first, second, *_ = two.out.splitlines()
    assert first.startswith("trading_effect is ")
    assert first.endswith(", over 2 cells and 3 seeds that both have.")
    assert second == (
        "The headlines may be compared: the same 2 cells and 3 seeds, and only dealer_share "
        "differs (0.1 against 0.2)."
    )
    assert "dealer_share  0.1 against 0.2" in two.out
    assert "Names taken to mean calm-ring-1" in two.err or not two.err
    seen = bilancio("jobs", "compare", *NAMES, "--group-by", "kappa", "--json").json
    assert [row[:2] for row in seen["table"]["rows"]] == [
        [kappa, name] for kappa in (0.3, 0.5) for name in NAMES[1:]
    ]
    assert [job["job_id"] for job in (seen["job"], seen["other"], *seen["more"])] == [*NAMES]
    table = bilancio("jobs", "compare", *NAMES, "--group-by", "kappa", "--format", "csv").out
    rows = list(csv.reader(io.StringIO(table)))
    assert rows[0] == seen["table"]["columns"]
    for told, row in zip(rows[1:], seen["table"]["rows"], strict=True):
        assert told[1] == row[1]
        assert float(told[rows[0].index("trading_effect")]) == row[rows[0].index("trading_effect")]
    for name, sign in (("markdown", "| kappa "), ("latex", "\\begin{tabular}")):
        assert (
            sign in bilancio("jobs", "compare", *NAMES, "--group-by", "kappa", "--format", name).out
        )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (NAMES[:1], "jobs: got 1 name; allowed: 2 to 6 names."),
        ((*NAMES, *NAMES, *NAMES), "jobs: got 9 names; allowed: 2 to 6 names."),
        ((NAMES[0], NAMES[0]), "jobs: got 'calm-ring-1'; allowed: another job."),
        ((*NAMES[:2], "--format", "cvs"), "Did you mean csv?"),
        ((*NAMES[:2], "--measures", "trading"), "measures: got 'trading'"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(bilancio, three, words, sentence):
    said = bilancio("jobs", "compare", *words)
    assert sentence in said.err
    assert (said.code, said.out) == (1, "")
