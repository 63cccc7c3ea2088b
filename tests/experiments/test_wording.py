"""Questions in a researcher's words are read as the names that there are, and conclusions told."""

import numpy as np
import pytest

from bilancio.analysis.conditions import renamed
from bilancio.errors import InvalidInput
from bilancio.experiments.questions import check_names
from bilancio.experiments.vocabulary import columns_of
from bilancio.jobs import JobConfig
from tests.experiments.test_answers import answered, invented, rows_of

BALANCED = JobConfig(
    sweep_type="balanced", kappas=["0.25", "0.5", "1"], mus=["0", "0.5"], n_replicates=6
)
PARAMETERS = ("concentration", "mu", "monotonicity", "kappa", "outside_mid_ratio")


def ask(**asked):
    return answered(BALANCED, range(BALANCED.total_runs), invented(BALANCED.total_runs), **asked)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("kappas", "kappa"), ("Kappa", "kappa"), ("κ", "kappa"), ("liquidity", "kappa"),
        ("debt ratio", "kappa"), ("outside_mid_ratios", "outside_mid_ratio"),
        ("outside-mid-ratio", "outside_mid_ratio"), ("ρ", "outside_mid_ratio"), ("mus", "mu"),
        ("µ", "mu"), ("monotonicities", "monotonicity"), ("inequality", "concentration"),
    ],
)  # fmt: skip
def test_a_word_for_a_parameter_is_read_as_it(word, name):
    assert columns_of(word, PARAMETERS) == (name,)


@pytest.mark.parametrize("word", ["happiness", "", "kapa", "x" * 10_000])
def test_a_word_that_means_nothing_is_read_as_nothing(word):
    assert columns_of(word, PARAMETERS) == ()


def test_every_field_that_takes_names_reads_words_and_says_how():
    found = ask(
        group_by="liquidity", measures="default rate", where="μ >= 0 and 0.1 < debt ratio",
        order_by="-effect", contrast="mus",
    )  # fmt: skip
    exact = ask(
        group_by="kappa", measures="delta_passive,delta_active,trading_effect",
        where="mu >= 0 and 0.1 < kappa", order_by="-trading_effect", contrast="mu",
    )  # fmt: skip
    assert found.table == exact.table
    assert found.contrasts == exact.contrasts
    assert found.asked == exact.asked
    assert exact.read == {}
    assert found.read == {
        "default rate": "delta_passive, delta_active and trading_effect",
        "effect": "trading_effect", "μ": "mu", "debt ratio": "kappa", "liquidity": "kappa",
        "mus": "mu",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["recovery", "recoveries", "recovered", "recovered face"])
def test_a_measure_that_is_recorded_under_another_name_is_read_by_its_own(word):
    n = BALANCED.total_runs
    rows = np.zeros(n, [("delta_total", float), ("recovered_micro", np.int64)])
    found = answered(BALANCED, range(n), rows, group_by="kappa", measures=word)
    assert found.read == {word: "recovered_face_passive and recovered_face_active"}


def test_a_pivot_and_effects_read_words_too():
    assert ask(group_by="κ", pivot="μ").table == ask(group_by="kappa", pivot="mu").table
    effects = ask(effects=True, measures="relief").effects
    assert effects.columns[0] == "effect on trading_relief_ratio"


def test_conditions_by_names_read_words():
    found = ask(where={"liquidity": "<0.6", "mus": 0}, group_by="kappa")
    assert found.table == ask(where="kappa < 0.6 and mu = 0", group_by="kappa").table


@pytest.mark.parametrize(
    ("said", "order"),
    [("effect desc", "-trading_effect"), ("mu ascending,-kappa", "mu,-kappa")],
)
def test_the_direction_of_an_order_may_follow_its_name(said, order):
    assert (
        ask(group_by="mu,kappa", order_by=said).table
        == ask(group_by="mu,kappa", order_by=order).table
    )


def test_a_count_is_a_word_for_what_is_counted():
    assert ask(measures="number of trades").asked.measures == ("n_trades",)


def test_a_word_that_may_mean_several_columns_is_refused_where_one_is_wanted():
    with pytest.raises(InvalidInput, match="order_by: got 'default rate'; allowed: delta_passive"):
        ask(order_by="-default rate")


def test_a_name_that_means_nothing_is_answered_with_the_nearest_three():
    known = [f"a_long_name_number_{number}" for number in range(30)]
    with pytest.raises(InvalidInput) as error:
        check_names("measures", ["a_long_name_number_7x"], known)
    assert str(error.value).startswith(
        "measures: got 'a_long_name_number_7x'; allowed: a_long_name_number_7, "
    )
    assert str(error.value).endswith(" and 27 more. Did you mean a_long_name_number_7?")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a b < 1 and not c in (1, d)", "[a b] < 1 and not [c] in (1, d)"),
        ("0.1 <= x < 2 or rule = first", "0.1 <= [x] < 2 or [rule] = first"),
        ("rule = 'a b'", "[rule] = 'a b'"),
        ({"a b": "< 1", "c": [1, 2]}, {"[a b]": "< 1", "[c]": [1, 2]}),
        ("", ""),
        ("< and (", "< and ("),
    ],
)
def test_only_names_of_columns_are_read_in_conditions(condition, expected):
    assert renamed(condition, lambda word: f"[{word}]") == expected


def test_measures_that_order_the_rows_are_shown_beside_those_asked_for():
    found = ask(group_by="kappa", measures="n_trades", order_by="-trading_effect").table
    values = [row["trading_effect"] for row in rows_of(found)]
    assert values == sorted(values, reverse=True)
    assert "n_trades" in found.columns


# -- conclusions -------------------------------------------------------------------------------


def test_one_difference_is_told_with_its_interval():
    found = ask(contrast="mu")
    [row] = rows_of(found.contrasts)
    value, low, high = (row[f"trading_effect{end}"] for end in ("", "_low", "_high"))
    size = f"{abs(value):.4g} {'higher' if value > 0 else 'lower'}"
    ends = (low, high) if value > 0 else (-high, -low)
    assert found.said.startswith(
        f"trading_effect is {size} at mu 0.5 than at mu 0 (95 % interval {ends[0]:.4g} to "
        f"{ends[1]:.4g}, paired by 6 seeds"
    )


def test_a_difference_without_an_interval_is_said_to_have_none():
    config = JobConfig(sweep_type="ring", kappas=["0.5", "1"])
    found = answered(config, range(2), invented(2), contrast="kappa")
    assert "at kappa 1 than at kappa 0.5 (paired by 1 seed, no interval)." in found.said


def test_many_differences_are_counted_and_their_ends_told():
    found = ask(contrast="kappa", group_by="mu,seed")
    assert found.said.count("trading_effect is") + found.said.count("differs") == 1
    grouped = answered(
        config := JobConfig(
            sweep_type="ring", kappas=["0.25", "0.5", "1", "2"], mus=["0", "0.5"], n_replicates=5
        ),
        range(config.total_runs),
        invented(config.total_runs),
        contrast="kappa",
        group_by="mu",
    )
    rows = rows_of(grouped.contrasts)
    most = max(rows, key=lambda row: row["delta_total"])
    assert "differs from that at kappa 0.25 by " in grouped.said
    assert (
        f"{most['delta_total']:+.4g} at mu {most['mu']:g}, kappa {most['kappa']:g}" in grouped.said
    )
    assert "in 6 rows" in grouped.said


def test_effects_are_told_the_largest_first():
    found = ask(effects=True)
    first = rows_of(found.effects)[0]
    assert found.said.startswith("Of the variance of trading_effect between cells, ")
    name = first["effect on trading_effect"]
    assert f"cells, {name} explains {100 * first['share']:.0f} %" in found.said


def test_the_first_row_of_an_order_is_told():
    found = ask(order_by="-trading_effect")
    first = rows_of(found.table)[0]
    assert found.said.startswith(
        f"Of 6 rows mu {first['mu']:g}, kappa {first['kappa']:g} has the highest trading_effect: "
        f"{first['trading_effect']:.4g}"
    ) or found.said.startswith(
        f"Of 6 rows kappa {first['kappa']:g}, mu {first['mu']:g} has the highest trading_effect: "
    )


def test_nothing_is_said_of_the_whole_which_has_a_headline_of_its_own():
    assert ask().said == ""
    assert ask(group_by="kappa").said == ""
    nothing = answered(BALANCED, [0], invented(1), where="kappa < 1")
    assert nothing.said == ""


@pytest.mark.parametrize(
    ("words", "condition"),
    [
        ("low liquidity", "kappa = 0.25"), ("liquidity is low", "kappa = 0.25"),
        ("high kappa", "kappa = 1"), ("lowest κ", "kappa = 0.25"), ("κ is highest", "kappa = 1"),
        ("small kappa and high mu", "kappa = 0.25 and mu = 0.5"),
        ("large mu, kappa over 0.25", "mu = 0.5 and kappa > 0.25"),
    ],
)  # fmt: skip
def test_an_end_of_a_parameter_is_read_as_its_values(words, condition):
    found = ask(where=words, group_by="kappa,mu")
    assert found.table == ask(where=condition, group_by="kappa,mu").table


def test_the_lower_half_is_low_and_the_answer_says_where_it_ends():
    config = JobConfig(sweep_type="ring", kappas=["0.25", "0.5", "1", "2"], n_replicates=5)
    runs = range(config.total_runs), invented(config.total_runs)
    found = answered(config, *runs, where={"liquidity": "low"}, group_by="kappa")
    assert [row["kappa"] for row in rows_of(found.table)] == [0.25, 0.5]
    assert found.read == {"liquidity": "kappa", "low kappa": "kappa <= 0.5"}
    found = answered(config, *runs, where="highest liquidity", group_by="kappa")
    assert [row["kappa"] for row in rows_of(found.table)] == [2]
    assert found.read == {"liquidity": "kappa", "highest kappa": "kappa = 2"}


def test_what_has_one_value_is_neither_low_nor_high():
    with pytest.raises(InvalidInput) as error:
        ask(where="low inequality")
    assert str(error.value) == (
        "where: got low concentration; allowed: concentration = 1, its only value."
    )


@pytest.mark.parametrize("word", ["verdict", "effect", "default rate", "trading_effect"])
def test_a_condition_on_a_column_of_the_table_is_told_what_takes_it(word):
    with pytest.raises(InvalidInput) as error:
        ask(where=f"{word} = 0", group_by="kappa")
    said = str(error.value)
    assert said.startswith("where: got ")
    assert ", a column of the table; allowed: parameters (" in said
    assert "order_by puts rows in order by any column" in said
    assert len(said) <= 400


def test_by_seed_the_primary_measure_is_shown_unless_others_are_asked_for():
    columns = ("seed", "n", "n_seeds", "delta_passive", "delta_active", "trading_effect")
    assert ask(group_by="seed").table.columns == columns
    assert ask(group_by="seed", order_by="-effect").table.columns == columns
    assert ask(group_by="seed", measures="delta_active").table.columns == (
        *columns[:3], "delta_active",
    )  # fmt: skip
    assert ask(group_by="seed", order_by="-n_trades").table.columns == (
        *columns, "n_trades",
    )  # fmt: skip
