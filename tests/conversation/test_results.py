"""Results are asked for as researchers ask, and each number is that of the files."""

import pytest

from tests.conversation.archive import CANCELLED, QUEUE, STRESS
from tests.conversation.evidence import effects, grouped, interval, mean, near, read
from tests.conversation.talk import rows

pytestmark = pytest.mark.slow


@pytest.mark.eras
async def test_results_of_a_misspelt_name(talk, desk):
    pairs = effects(read(desk, STRESS))
    async with talk("what came out of brigth ocean swft tigr?") as chat:
        answer = await chat.call("job_results", job_id="brigth ocean swft tigr")
        rates = await chat.follow(answer, "job_results")
    assert answer["summary"].startswith(f"Taken to mean {STRESS} (read 'brigth' as")
    found = answer["findings"]
    assert found["avg_delta_passive"] == near(mean(pairs, "passive"))
    assert found["avg_trading_effect"] == near(mean(pairs, "effect"))
    assert found["trading_effect_ci95"] == near(interval(pairs, "effect"))
    assert found["improved"] == sum(pair["effect"] > 0 for pair in pairs)
    assert [row["kappa"] for row in rows(rates["table"])] == [0.25, 0.5, 1, 2]


async def test_is_the_effect_bigger_at_mu_one_half_than_at_zero(talk, desk):
    pairs = effects(read(desk, STRESS))
    by_place = grouped(pairs, "kappa", "seed", "mu")
    differences = [
        {"seed": seed, "effect": by_place[kappa, seed, 0.5][0]["effect"] - low[0]["effect"]}
        for (kappa, seed, mu), low in by_place.items()
        if mu == 0
    ]
    async with talk("is the effect bigger at μ 0.5 than at μ 0?") as chat:
        answer = await chat.call("job_results", job_id=STRESS, contrast="mu")
    [row] = rows(answer["contrasts"])
    assert (row["mu"], row["against"], row["verdict"]) == (0.5, 0, "higher")
    assert row["trading_effect"] == near(mean(differences, "effect"))
    ends = [row["trading_effect_low"], row["trading_effect_high"]]
    assert ends == near(interval(differences, "effect"))
    assert answer["summary"].startswith(
        f"trading_effect is {mean(differences, 'effect'):.4g} higher at mu 0.5 than at mu 0 (95 % "
        f"interval {ends[0]:.4g} to {ends[1]:.4g}, paired by 10 seeds)."
    )


async def test_which_cell_profits_most_from_trading(talk, desk):
    cells = grouped(effects(read(desk, STRESS)), "kappa", "mu")
    best = max(cells, key=lambda cell: mean(cells[cell], "effect"))
    async with talk("which cell profits most?") as chat:
        answer = await chat.call("job_results", job_id=STRESS, order_by="-trading_effect", limit=1)
    [row] = rows(answer["table"])
    assert (row["kappa"], row["mu"]) == best
    assert row["trading_effect"] == near(mean(cells[best], "effect"))
    assert "has the highest trading_effect: " in answer["summary"]
    ends = [row["trading_effect_low"], row["trading_effect_high"]]
    assert ends == near(interval(cells[best], "effect"))


async def test_which_parameter_matters(talk):
    async with talk("what drives the effect of trading, κ or μ?") as chat:
        answer = await chat.call("job_results", job_id=STRESS, effects=True)
    shares = {row["effect on trading_effect"]: row for row in rows(answer["effects"])}
    assert list(shares) == ["mu", "kappa", "kappa × mu"]
    assert sum(row["share"] for row in shares.values()) == near(1)
    assert shares["mu"]["share_low"] > 0.5
    share = f"{100 * shares['mu']['share']:.0f} %"
    assert (
        f"Of the variance of trading_effect between cells, mu explains {share}" in answer["summary"]
    )


async def test_what_dealers_earn_which_is_not_what_trading_earns_them(talk, desk):
    pairs = effects(read(desk, STRESS))
    asked = {"job_id": STRESS, "group_by": "kappa"}
    async with talk("show me the dealers' profit by κ") as chat:
        answer = await chat.call("job_results", **asked, measures="dealer_pnl")
        active = await chat.call("job_results", **asked, measures="dealer_pnl_active")
    assert answer["meanings"] == {
        "dealer_pnl": "dealer_pnl_active − dealer_pnl_passive. Unit: money."
    }
    assert active["meanings"]["dealer_pnl_active"].startswith("Profit of the dealers")
    for row in rows(active["table"]):
        cells = [pair for pair in pairs if pair["kappa"] == row["kappa"]]
        assert row["dealer_pnl_active"] == near(mean(cells, "dealer_pnl"))
        ends = [row["dealer_pnl_active_low"], row["dealer_pnl_active_high"]]
        assert ends == near(interval(cells, "dealer_pnl"))


async def test_part_of_the_cells(talk, desk):
    pairs = effects(read(desk, STRESS))
    scarce = [pair for pair in pairs if pair["kappa"] < 0.75]
    async with talk("and only where liquidity is scarce, below 0.75?") as chat:
        answer = await chat.call(
            "job_results", job_id=STRESS, where={"kappa": "<0.75"}, group_by=["mu"]
        )
    for row in rows(answer["table"]):
        cells = [pair for pair in scarce if pair["mu"] == row["mu"]]
        assert row["trading_effect"] == near(mean(cells, "effect"))
        assert row["n"] == len(cells)


async def test_a_simulation_of_her_own(talk, desk):
    runs = read(desk, QUEUE)
    async with talk("does one line beat two lines in my queue?") as chat:
        answer = await chat.call("job_results", job_id=QUEUE, group_by=["rate"])
    assert "1.137 higher" in answer["summary"]
    for row in rows(answer["table"]):
        for arm in ("one-line", "two-lines"):
            cells = [run for run in runs if (run["rate"], run["arm"]) == (row["rate"], arm)]
            assert row[f"wait_{arm.replace('-', '_')}"] == near(mean(cells, "wait"))
        assert row["verdict"] == "higher"


async def test_what_a_cancelled_job_had_found(talk):
    async with talk("I gave up on one yesterday, had it found anything?") as chat:
        listed = await chat.call("list_jobs", status="cancelled")
        [job] = listed["jobs"]
        answer = await chat.call("job_results", job_id=job["job_id"])
    assert job["job_id"] == CANCELLED
    assert "So far 4 of 10 seeds" in answer["summary"]
    assert answer["findings"]["avg_value"] == near(1.5 + 0.25)
    assert answer["warnings"] == ["4 seeds are few: intervals are wide and only roughly right."]
    assert f"start_sweep(job_id='{CANCELLED}')" in answer["next"]


async def test_results_while_the_job_runs(talk, waiting):
    async with talk("anything yet from my patient one?") as chat:
        answer = await chat.call("job_results", job_id=waiting)
        again = await chat.follow(answer, "job_status", wait_s=1)
    assert "So far 4 of 10 seeds" in answer["summary"]
    assert answer["findings"]["avg_value"] == near(1.75)
    assert (again["status"], again["completed_runs"], again["total_runs"]) == ("running", 8, 20)


async def test_how_much_of_defaulted_debt_is_recovered(talk, desk):
    runs = read(desk, STRESS)
    async with talk("and how much do creditors recover, by liquidity?") as chat:
        answer = await chat.call(
            "job_results", job_id=STRESS, measures="recovery", group_by="liquidity"
        )
    assert answer["meanings"]["recovered_face_passive"].startswith("Paid on debts in default")
    for row in rows(answer["table"]):
        for arm in ("passive", "active"):
            cells = [run for run in runs if (run["kappa"], run["arm"]) == (row["kappa"], arm)]
            found = mean(cells, "recovered_micro") / 10**6
            assert row[f"recovered_face_{arm}"] == near(found)


async def test_what_dealers_earn_in_the_words_of_a_researcher(talk, desk):
    pairs = effects(read(desk, STRESS))
    async with talk("what do the dealers earn when liquidity is scarce?") as chat:
        answer = await chat.call(
            "job_results", job_id=STRESS, measures="dealer profit", group_by="liquidity"
        )
    assert answer["summary"].startswith(
        "Read dealer profit as dealer_pnl_passive, dealer_pnl_active and dealer_pnl, liquidity as "
        "kappa."
    )
    for row in rows(answer["table"]):
        cells = [pair for pair in pairs if pair["kappa"] == row["kappa"]]
        assert row["dealer_pnl_active"] == near(mean(cells, "dealer_pnl"))


@pytest.mark.parametrize(
    ("words", "kappas", "mus"),
    [
        ("liquidity is 0.25", {0.25}, {0, 0.5}),
        ("low liquidity", {0.25, 0.5}, {0, 0.5}),
        ("κ between 0.3 and 1, μ is 0", {0.5, 1}, {0}),
        ({"liquidity": "at most 0.5"}, {0.25, 0.5}, {0, 0.5}),
        (["kappa below 1", "mu 0.5"], {0.25, 0.5}, {0.5}),
    ],
)
async def test_part_of_the_cells_in_words(talk, desk, words, kappas, mus):
    pairs = [
        pair
        for pair in effects(read(desk, STRESS))
        if pair["kappa"] in kappas and pair["mu"] in mus
    ]
    async with talk("and where liquidity is low?") as chat:
        answer = await chat.call("job_results", job_id=STRESS, where=words)
    [row] = rows(answer["table"])
    assert (row["n"], row["trading_effect"]) == (len(pairs), near(mean(pairs, "effect")))


async def test_a_contrast_of_all_cells_is_not_said_twice(talk):
    async with talk("does μ matter, and how much?") as chat:
        answer = await chat.call("job_results", job_id=STRESS, contrast="due days", effects=True)
    assert "table" not in answer
    assert len(rows(answer["contrasts"])) == 1
    assert "group_by=['kappa']) breaks it down" in answer["next"]


async def test_seed_by_seed(talk, desk):
    pairs = grouped(effects(read(desk, STRESS)), "seed")
    async with talk("seed by seed, please") as chat:
        answer = await chat.call("job_results", job_id=STRESS, group_by="seeds")
    assert answer["table"]["columns"] == [
        "seed", "n", "n_seeds", "delta_passive", "delta_active", "trading_effect",
    ]  # fmt: skip
    for row in rows(answer["table"]):
        assert row["trading_effect"] == near(mean(pairs[(row["seed"],)], "effect"))


async def test_which_cells_are_undecided(talk):
    async with talk("which cells are undecided?") as chat:
        said = await chat.refused(
            "job_results", job_id=STRESS, group_by=["kappa", "mu"], where="verdict = undecided"
        )
        answer = await chat.call(
            "job_results", job_id=STRESS, group_by=["kappa", "mu"], order_by="-verdict"
        )
    assert "order_by puts rows in order by any column" in said
    verdicts = [row["verdict"] for row in rows(answer["table"])]
    assert verdicts == sorted(verdicts, reverse=True)
