import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilancio.analysis.intervals import seed_interval, seed_intervals
from bilancio.analysis.observations import Observations
from bilancio.analysis.tables import grouped
from bilancio.errors import InvalidInput

T_3 = 3.182446305284263  # 97.5 % of Student's t with 3 degrees of freedom, from a printed table
T_1 = math.tan(0.475 * math.pi)  # the same with 1, where t is Cauchy's distribution


def test_the_interval_of_four_seeds_is_what_one_computes_by_hand():
    """2, 4, 4, 6: mean 4, standard deviation √(8/3), standard error √(8/3)/2."""
    interval = seed_interval(np.array([2.0, 4, 4, 6]), np.array([1, 2, 3, 4]))
    half = T_3 * math.sqrt(8 / 3) / 2
    assert interval.as_list() == pytest.approx([4 - half, 4 + half], rel=1e-12)
    assert interval.n_seeds == 4


def test_the_replicate_is_the_seed_not_the_run():
    """Two seeds with means 1 and 3, whatever the number of runs of each."""
    values, seeds = np.array([0.0, 2, 3, 3, 3]), np.array([7, 7, 9, 9, 9])
    interval = seed_interval(values, seeds)
    assert interval.as_list() == pytest.approx([2 - T_1, 2 + T_1], rel=1e-12)
    assert interval.n_seeds == 2


def test_one_seed_gives_no_interval_and_says_why():
    interval = seed_interval(np.array([1.0, 2]), np.array([7, 7]))
    assert (interval.as_list(), interval.n_seeds) == (None, 1)
    assert interval.reason == "one seed shows no spread; run two or more"


def test_what_is_not_known_is_left_out():
    interval = seed_interval(np.array([np.nan, 1, np.nan]), np.array([1, 2, 3]))
    assert interval.n_seeds == 1
    nothing = seed_interval(np.array([np.nan]), np.array([1]))
    assert (nothing.n_seeds, nothing.reason) == (0, "nothing was observed")
    assert seed_interval(np.empty(0), np.empty(0, int)).as_list() is None


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.floats(-9, 9) | st.just(math.nan)),
        max_size=40,
    )
)
def test_the_intervals_of_many_groups_are_those_of_each_alone(rows):
    group = np.array([row[0] for row in rows], np.int64)
    seeds = np.array([row[1] for row in rows], np.int64)
    values = np.array([row[2] for row in rows], float)
    low, high, n_seeds = seed_intervals(values, seeds, group, 4)
    for number in range(4):
        alone = seed_interval(values[group == number], seeds[group == number])
        together = None if math.isnan(low[number]) else [low[number], high[number]]
        assert together == (alone.as_list() and pytest.approx(alone.as_list(), abs=1e-9))
        assert n_seeds[number] == alone.n_seeds


def seen(**columns):
    given = {name: np.asarray(column) for name, column in columns.items()}
    parameters = tuple(name for name in given if name not in {"seed", "effect"})
    return Observations(
        columns=given, parameters=parameters, measures=("effect",), primary="effect"
    )


def test_groups_stand_in_the_order_of_their_parameters():
    table = grouped(
        seen(
            design=["lhs", "grid", "lhs", "grid"],
            kappa=[0.5, 1.0, 0.25, 1.0],
            seed=[1, 1, 1, 2],
            effect=[1.0, 2.0, np.nan, 4.0],
        ),
        ["design", "kappa"],
    )
    half = T_1 * math.sqrt(2) / math.sqrt(2)
    assert table.columns == (
        "design",
        "kappa",
        "n",
        "effect",
        "effect_ci95_low",
        "effect_ci95_high",
    )
    assert table.rows == (
        ("grid", 1.0, 2, 3.0, pytest.approx(3 - half), pytest.approx(3 + half)),
        ("lhs", 0.25, 1, None, None, None),
        ("lhs", 0.5, 1, 1.0, None, None),
    )


def test_without_grouping_there_is_one_row_of_all():
    table = grouped(seen(kappa=[1.0, 2.0], seed=[1, 1], effect=[1.0, 2.0]), [])
    assert table.rows == ((2, 1.5, None, None),)


def test_nothing_observed_gives_no_rows():
    nothing = seen(kappa=np.empty(0), seed=np.empty(0, int), effect=np.empty(0))
    assert grouped(nothing, []).rows == grouped(nothing, ["kappa"]).rows == ()


def test_many_parameters_with_many_values_are_grouped_together():
    """The product of their numbers of values is past what 64 bits hold."""
    n = 100_000
    names = ("cell", "kappa", "concentration", "mu", "monotonicity")
    columns = {name: np.arange(n) * 0.5 for name in names}
    table = grouped(seen(**columns, seed=np.ones(n, int), effect=np.ones(n)), list(names))
    assert len(table.rows) == n
    assert table.rows[3][:5] == (1.5,) * 5


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        (["kapa"], "group_by: got 'kapa'; allowed: kappa, seed. Did you mean kappa?"),
        (["kappa", "kappa"], "group_by: got kappa twice; allowed: each name once."),
    ],
)
def test_a_name_that_cannot_be_grouped_by_is_refused(by, sentence):
    with pytest.raises(InvalidInput) as error:
        grouped(seen(kappa=[1.0], seed=[1], effect=[1.0]), by)
    assert str(error.value) == sentence
