"""One run in detail: what is shown is what happened."""

import csv
import json
import re

import pytest

from bilancio.model import simulate

#: "One ring" of MODEL.md, section 9.
ONE_RING = (
    "run", "ring", "--n-agents", "5", "--kappa", "0.5", "--mu", "0.5", "--maturity-days", "3",
    "--q-total", "500",
)  # fmt: skip
ACTIVE = ("run", "balanced", "--n-agents", "10", "--kappa", "0.5", "--mu", "0.5")
PASSIVE = (*ACTIVE, "--arm", "passive")


def lines(said):
    """Return what was shown, each line by its words."""
    return [line.split() for line in said.out.splitlines()]


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_ring_printed_in_the_model_settles_and_defaults_day_by_day(bilancio):
    said = bilancio(*ONE_RING)
    assert said.code == 0, said.err  # the first traced run on a machine says that it compiles
    shown = lines(said)
    first = shown.index(["1", "settled", "H2", "H3", "H2", "4", "4", "H3"])
    assert shown[first - 2] == [
        "day", "event", "debtor", "holder", "payer", "face", "cash", "payee",
    ]  # fmt: skip
    assert shown[first + 1 : first + 5] == [
        ["1", "defaulted", "H5", "H1", "H5", "225", "50", "H1"],
        ["2", "settled", "H3", "H4", "H3", "54", "54", "H4"],
        ["3", "defaulted", "H1", "H2", "H1", "172", "100", "H2"],
        ["3", "settled", "H4", "H5", "H4", "42", "42", "H5"],
    ]
    assert ["start", "50", "50", "50", "50", "50"] in shown
    assert shown[-1] == ["5", "0", "146", "0", "62", "42"]
    assert ["phi_total", "0.2012"] in shown
    assert ["days_simulated", "6"] in shown


def test_days_and_agents_are_picked(bilancio):
    said = bilancio(*ONE_RING, "--day", "3", "--agent", "H2", "--json").json
    assert [(row["debtor"], row["creditor"]) for row in said["events"]] == [("H1", "H2")]
    assert said["balances"] == [{"after_day": 3, "H2": 146.0}]


def test_tickets_are_sold_to_desks_by_name_at_a_price(bilancio):
    found = bilancio(*ACTIVE, "--json").json
    sales = [row for row in found["events"] if row["event"] == "sold"]
    assert len(sales) == found["outcome"]["n_trades"] > 0
    for row in sales:
        assert re.fullmatch("(vbt|dealer)_(short|mid|long)", row["payer"])
        assert row["payee"] == row["holder"] == row["creditor"]
        assert row["cash"] == pytest.approx(row["price"] * row["face"], abs=1e-6)
    assert {"settled", "defaulted", "rolled-over", "written-off"} & {
        row["event"] for row in found["events"]
    }
    assert [row["bucket"] for row in found["quotes"][:3]] == ["short", "mid", "long"]
    assert list(found["balances"][0])[-2:] == ["vbt_long", "dealer_long"]


def test_dealers_trade_unless_told_otherwise(bilancio):
    active, passive = bilancio(*ACTIVE, "--json").json, bilancio(*PASSIVE, "--json").json
    assert (active["parameters"]["arm"], passive["parameters"]["arm"]) == ("active", "passive")
    assert active["outcome"]["n_trades"] > 0 == passive["outcome"]["n_trades"]
    assert "Ring with dealers, active arm, seed 42" in bilancio(*ACTIVE).out
    assert "Who may trade. passive or active. (default active)" in " ".join(
        bilancio("run", "balanced", "--help").out.replace("│", "").split()
    )


def test_debts_to_desks_are_owed_to_the_desk_by_name(bilancio):
    events = bilancio(*PASSIVE, "--json").json["events"]
    owed = {row["creditor"] for row in events if row["creditor"][0] != "H"}
    assert owed
    assert all(re.fullmatch("(vbt|dealer)_(short|mid|long)", name) for name in owed)


def test_the_quotes_of_a_desk_are_those_of_its_bucket(bilancio):
    found = bilancio(*ACTIVE, "--agent", "dealer_mid", "--json").json
    assert {row["bucket"] for row in found["quotes"]} == {"mid"}
    assert {row["event"] for row in found["events"]} == {"sold", "rebucketed"}
    assert all("dealer_mid" in {row["holder"], row["payer"]} for row in found["events"])


def test_long_tables_are_cut_and_say_how_to_get_the_rest(bilancio):
    said = bilancio(*ACTIVE, "--limit", "5")
    total = len(bilancio(*ACTIVE, "--json").json["events"])
    assert f"5 of {total} rows; --limit 0 shows all" in said.out
    assert "more beside these (H" in said.out
    assert "rows; --limit" not in bilancio(*ACTIVE, "--limit", "0").out


@pytest.mark.parametrize("words", [ONE_RING, ACTIVE], ids=["ring", "active"])
def test_files_hold_what_is_shown(bilancio, tmp_path, words):
    said = bilancio(*words, "--out-dir", tmp_path / "run", "--day", "1", "--json").json
    whole = bilancio(*words, "--json").json
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert events == whole["events"]
    for name in ("events", "quotes", "balances"):
        if not whole[name]:
            assert not (tmp_path / "run" / f"{name}.csv").exists()
            continue
        rows = read(tmp_path / "run" / f"{name}.csv")
        assert [{key: value or None for key, value in row.items()} for row in rows] == [
            {key: None if value is None else str(value) for key, value in row.items()}
            for row in whole[name]
        ]
    assert sorted(said["files"]) == sorted(str(path) for path in (tmp_path / "run").iterdir())


def test_the_outcome_is_that_of_the_untraced_run(bilancio):
    found = bilancio(*ACTIVE, "--json").json
    run = simulate(kind="balanced", arm="active", n_agents=10, kappa=0.5, mu=0.5)
    for name, value in found["outcome"].items():
        assert getattr(run, name) == value


def test_a_run_of_a_job_finds_what_is_recorded(bilancio, job):
    recorded = bilancio("jobs", "runs", job, "--json").json["runs"][5]
    by_index = bilancio("run", "job", job, "--run", "5", "--json").json
    by_id = bilancio("run", "job", job, "--run", recorded["run_id"], "--json").json
    assert by_index == by_id
    assert by_index["as_recorded"] is True
    assert by_index["outcome"]["delta_total"] == recorded["delta_total"]
    assert by_index["parameters"]["seed"] == recorded["seed"]
    said = bilancio("run", "job", "Calm", "Blue", "River", "7", "--run", "5")
    assert f"This is the same as what is recorded of {recorded['run_id']}." in said.out


def test_the_pair_in_which_trading_did_worst_is_told_day_by_day(bilancio, job):
    runs = bilancio("jobs", "runs", job, "--json").json["runs"]
    effects = [
        passive["delta_total"] - active["delta_total"]
        for passive, active in zip(runs[::2], runs[1::2], strict=True)
    ]
    worst = runs[2 * effects.index(min(effects)) + 1]
    said = bilancio("run", "job", job)
    assert said.out.startswith(f"Run {worst['index']} of {job} (lowest trading_effect of 8 pairs, ")
    for index in (worst["index"], worst["index"] - 1):
        assert f"This is the same as what is recorded of {runs[index]['run_id']}." in said.out
    assert any(line.startswith("day 0: ") for line in said.out.splitlines())
    assert "Events: faces" not in said.out
    picked = bilancio("run", "job", job, "--run", "best", "--day", "1", "--agent", "3")
    assert "Events: faces" in picked.out or "No such events." in picked.out


def test_nothing_is_stored(bilancio, stored):
    bilancio(*ONE_RING)
    assert stored() == 0


WRONG = {
    "kappa zero": (["ring", "--kappa", "0"], "kappa: got '0'; allowed: numbers above 0 and up"),
    "nothing": (["ring", "--kappa", ""], "kappa: got nothing; allowed: numbers above 0 and up"),
    "misspelt option": (["ring", "--kapa", "1"], "Did you mean --kappa?"),
    "grid option": (["ring", "--kappas", "1"], "--kappas: got an option that 'bilancio run ring'"),
    "no arm of a ring": (["ring", "--arm", "active"], "--arm: got an option that"),
    "unknown arm": (["balanced", "--arm", "activ"], "arm: got 'activ'; allowed: passive or active"),
    "wrong vector": (
        ["ring", "--n-agents", "3", "--liquidity-mode", "vector", "--liquidity-vector", "1,2"],
        "liquidity_vector: got 2 weights; allowed: 3 positive weights, one per trader.",
    ),
    "unknown agent": (
        [*ONE_RING[1:], "--agent", "H6"],
        "agent: got 'H6'; allowed: H1 to H5.",
    ),
    "desk of a ring": ([*ONE_RING[1:], "--agent", "vbt_mid"], "agent: got 'vbt_mid'; allowed: H1"),
    "late day": ([*ONE_RING[1:], "--day", "6"], "day: got '6'; allowed: whole numbers from 0 to 5"),
    "no day": (
        [*ONE_RING[1:], "--day", "first"],
        "day: got 'first'; allowed: whole numbers from 0.",
    ),
    "limit": ([*ONE_RING[1:], "--limit=-1"], "limit: got '-1'; allowed: whole numbers from 0."),
    "unknown kind": (["rng"], "bilancio run: got 'rng'; allowed: ring, balanced, job."),
    "unknown job": (["job", "no-such-job"], "No job 'no-such-job', and none with a name like it."),
}


@pytest.mark.parametrize(("words", "sentence"), WRONG.values(), ids=WRONG)
def test_bad_input_gets_a_sentence(bilancio, words, sentence):
    said = bilancio("run", *words)
    assert sentence in said.err
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("which", ["16", "-1", "x", "balanced_passive_0000000000c"])
def test_a_run_that_a_job_does_not_have_is_refused(bilancio, job, which):
    said = bilancio("run", "job", job, f"--run={which}")
    allowed = "worst, best, failed, an index from 0 to 15, or a run's id"
    assert said.err.startswith(f"run: got '{which}'; allowed: {allowed}")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)


def test_a_folder_that_cannot_be_written_is_refused(bilancio, tmp_path):
    (tmp_path / "file").write_text("")
    said = bilancio(*ONE_RING, "--out-dir", tmp_path / "file" / "below")
    assert said.code == 1
    assert "cannot be written" in said.err
