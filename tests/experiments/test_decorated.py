"""A function with @experiment declares a sweep type, or is refused with a sentence."""

import subprocess
import sys
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from bilancio import experiment
from bilancio.errors import InvalidInput
from bilancio.experiments.calls import Calls
from bilancio.experiments.declared import declaration_of
from bilancio.experiments.decorated_sweep import sweep_model
from bilancio.model.metrics import Metric

SCALARS = (
    "int, float, bool, str, a Literal, a StrEnum, or Annotated of one of these with bounds and a "
    "description"
)


class Rule(StrEnum):
    FIRST = "first"
    LAST = "last"


def refused(function, **options):
    with pytest.raises(InvalidInput) as error:
        experiment(**({"name": "queue"} | options))(function)
    return str(error.value)


def test_a_decorated_function_is_called_as_before():
    @experiment("queue")
    def simulate(seed: int, rate: float = 0.5) -> dict[str, float]:
        return {"wait": seed * rate}

    assert simulate(3) == {"wait": 1.5}
    assert simulate(seed=3, rate=2) == {"wait": 6}


def test_what_a_function_declares_is_read_from_its_signature():
    @experiment("queue", arms=["one", "two"], primary="wait", version="3")
    def simulate(
        *,
        arm: str,
        seed: int,
        rate: Annotated[float, Field(gt=0, description="Arrivals.")] = 0.5,
        servers: int = 2,
        rule: Rule = Rule.FIRST,
        kind: Literal["a", "b"] = "a",
        lazy: bool = False,
        label: Annotated[str, Field(max_length=3)],
    ) -> dict[str, float]:
        """Queue up.

        And more.
        """
        raise NotImplementedError

    declared = declaration_of(simulate)
    assert declared.arms == ("one", "two")
    assert (declared.primary, declared.version, declared.meaning) == ("wait", "3", "Queue up.")
    names = ["rate", "servers", "rule", "kind", "lazy", "label"]
    assert list(declared.own_parameters) == names
    assert declared.own_parameters["rate"].description == "Arrivals."
    run = declared.parameters(seed=1, arm="two", label="abc", rate=2)
    assert (run.rate, run.servers, run.rule, run.kind, run.lazy) == (2.0, 2, Rule.FIRST, "a", False)
    for wrong in ({"rate": 0}, {"label": "abcd"}, {"rule": "middle"}, {"servers": True}, {"x": 1}):
        with pytest.raises(ValidationError):
            declared.parameters(**{"seed": 1, "label": "abc"} | wrong)


def test_every_parameter_of_a_function_is_one_of_its_sweep_and_may_vary():
    """One is called as the model calls its scenario, which no parameter of a function is."""

    @experiment("epidemic", arms=["mild", "harsh"])
    def simulate(seed: int, arm: str, kind: Literal["sir", "sis"] = "sir", beta: float = 0.3):
        raise NotImplementedError

    model = sweep_model(declaration_of(simulate))
    assert list(model.parameters_that_vary()) == ["kind", "beta"]
    assert model(kind="sis").kind == "sis"
    assert model(vary={"kind": "sir,sis"}).vary == {"kind": ("sir", "sis")}


def without_seed(rate: float = 1): ...
def without_annotation(seed: int, rate=1): ...
def with_a_list(seed: int, history: list = []): ...  # noqa: B006
def with_a_list_of_int(seed: int, sizes: tuple[int, ...] = ()): ...
def with_none(seed: int, rate: float | None = None): ...
def outside_its_bounds(seed: int, rate: Annotated[float, Field(gt=0)] = 0): ...
def not_finite(seed: int, rate: float = float("inf")): ...
def of_another_type(seed: int, servers: int = 0.5): ...
def with_odd_bounds(seed: int, rate: Annotated[float, Field(gt="a")] = 1): ...
def with_args(seed: int, *rates: float): ...
def with_kwargs(seed: int, **rates: float): ...
def by_position(seed: int, rate: float = 1, /): ...
def with_a_taken_name(seed: int, n_replicates: int = 1): ...
def with_a_method_s_name(seed: int, cost: float = 1): ...
def with_a_column_s_name(seed: int, cell: int = 1): ...
def with_an_underscore(seed: int, _rate: float = 1): ...
def with_a_float_seed(seed: float): ...
def with_a_plain_seed(seed): ...
def with_an_arm(seed: int, arm: str): ...
def unreadable(seed: int, rate: "Nothing" = 1): ...  # noqa: F821
async def awaited(seed: int): ...
def yielding(seed: int):
    yield seed


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (without_seed, "seed of without_seed: got no such parameter; allowed: seed: int, from"),
        (without_annotation, f"rate of without_annotation: got no annotation; allowed: {SCALARS}."),
        (with_a_list, "history of with_a_list: got a list as its default; allowed: a default that"),
        (with_a_list_of_int, "sizes of with_a_list_of_int: got tuple[int, ...]; allowed: int, flo"),
        (with_none, "rate of with_none: got float | None; allowed: int, float"),
        (outside_its_bounds, "rate of outside_its_bounds: got 0 as its default; allowed: numbers "),
        (not_finite, "rate of not_finite: got inf as its default; allowed: numbers."),
        (of_another_type, "servers of of_another_type: got 0.5 as its default; allowed: whole num"),
        (with_odd_bounds, "rate of with_odd_bounds: got bounds that cannot be read: "),
        (with_args, "*rates of with_args: got any number of values; allowed: one parameter for"),
        (with_kwargs, "**rates of with_kwargs: got any number of values; allowed: one parameter"),
        (by_position, "rate of by_position: got a parameter by position only; allowed: parameter"),
        (with_a_taken_name, "n_replicates of with_a_taken_name: got a name that is taken; allowe"),
        (with_a_method_s_name, "cost of with_a_method_s_name: got a name that is taken; allowed:"),
        (with_a_column_s_name, "cell of with_a_column_s_name: got a name that is taken; allowed:"),
        (with_an_underscore, "_rate of with_an_underscore: got this name; allowed: letters, digi"),
        (with_a_float_seed, "seed of with_a_float_seed: got float; allowed: int."),
        (with_a_plain_seed, "seed of with_a_plain_seed: got no annotation; allowed: int."),
        (with_an_arm, "arm of with_an_arm: got such a parameter; allowed: none, unless @experim"),
        (unreadable, "unreadable: got annotations that cannot be read (NameError: name 'Nothing'"),
        (lambda seed: {}, "@experiment: got a lambda; allowed: a function defined by def, which "),
        (awaited, "@experiment: got awaited, a function async def; allowed: a function defined b"),
        (yielding, "@experiment: got yielding, a function with yield; allowed: a function defin"),
        (3, "@experiment: got 3; allowed: a function defined by def, which returns its metrics."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_a_function_that_cannot_be_an_experiment_is_refused(function, sentence):
    assert sentence in refused(function)


def simulate(seed: int, rate: float = 1) -> dict[str, float]:
    return {"wait": seed * rate}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "My queue"}, "name of simulate: got 'My queue'; allowed: lower-case letters, di"),
        ({"name": 3}, "name of simulate: got 3; allowed:"),
        ({"arms": ("a", "b")}, "arm of simulate: got no such parameter; allowed: arm: str, since "),
        ({"arms": ("a",)}, "arms of simulate: got ('a'); allowed: two names or more, each once"),
        ({"arms": ("a", "a")}, "arms of simulate: got ('a', 'a'); allowed: two names or more, eac"),
        ({"arms": ("a-b", "a_b")}, "arms of simulate: got ('a-b', 'a_b'); allowed: two names"),
        ({"arms": "ab"}, "arms of simulate: got 'ab'; allowed: two names or more"),
        ({"batch": 1}, "batch of simulate: got 1; allowed: True or False."),
        ({"version": ""}, "version of simulate: got ''; allowed: text of up to 40 characters."),
        ({"metrics": {}}, "metrics of simulate: got {}; allowed: by name a unit, a pair of unit"),
        ({"metrics": {"a b": ""}}, "metrics of simulate: got 'a b'; allowed: names of letters, di"),
        ({"metrics": {"seed": ""}}, "metrics of simulate: got 'seed'; allowed: a name that no col"),
        ({"metrics": {"w": "", "w_low": ""}}, "metrics of simulate: got 'w_low'; allowed: another"),
        ({"metrics": {"wait": 3}}, "metrics['wait'] of simulate: got 3; allowed: by name a unit"),
        ({"metrics": {"wait": ""}, "primary": "x"}, "primary of simulate: got 'x'; allowed: wait."),
        ({"primary": 3}, "primary of simulate: got 3; allowed: a metric's name."),
    ],
    ids=str,
)  # fmt: skip
def test_options_that_are_wrong_are_refused(options, sentence):
    assert sentence in refused(simulate, **options)


def test_everything_that_is_wrong_is_said_at_once():
    said = refused(without_annotation, name="", version="")
    assert [line.partition(" ")[0] for line in said.splitlines()] == ["name", "version", "rate"]


def test_metrics_are_declared_by_unit_by_meaning_or_whole():
    whole = Metric("served", "i8", unit="customers", meaning="Served.")
    metrics = {"wait": "minutes", "longest": ("minutes", "The longest."), "served": whole}
    experiment("queue", metrics=metrics)(simulate)
    declared = declaration_of(simulate).metrics
    assert [(each.name, each.unit, each.meaning) for each in declared] == [
        ("wait", "minutes", ""),
        ("longest", "minutes", "The longest."),
        ("served", "customers", "Served."),
    ]


def test_a_function_that_another_decorator_wraps_is_no_experiment():
    import functools

    @experiment("queue")
    def inner(seed: int) -> dict[str, float]:
        return {"wait": seed}

    @functools.wraps(inner)
    def outer(seed):
        return inner(seed)

    assert declaration_of(inner) is not None
    assert declaration_of(outer) is None


def test_importing_bilancio_loads_no_other_library():
    others = "('numpy', 'pydantic', 'numba')"
    code = f"import bilancio, sys; print([each for each in {others} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# -- what runs return ---------------------------------------------------------------------------


def rows(found, count=2, **options):
    """Return what runs that return these values one after another come to."""
    returned = iter(found)

    @experiment("queue", **options)
    def simulate(seed: int, rate: float = 1) -> dict[str, float]:
        return next(returned)

    return Calls(declaration_of(simulate)).rows({}, {}, np.arange(count), None)


def test_any_kind_of_number_is_a_metric():
    found = rows(
        [
            {"a": 1, "b": True, "c": np.float32(0.5)},
            {"c": Decimal("0.1"), "a": np.array(2), "b": np.bool_(False)},
        ]
    )
    assert found.dtype == np.dtype([("a", "f8"), ("b", "f8"), ("c", "f8")])
    assert found.tolist() == [(1, 1, 0.5), (2, 0, 0.1)]


def test_nan_and_infinity_are_numbers():
    found = rows([{"a": float("nan")}, {"a": float("-inf")}])
    assert np.isnan(found["a"][0])
    assert found["a"][1] == -np.inf


def test_a_declared_metric_has_its_declared_type():
    metrics = {"served": Metric("served", "i8"), "wait": "minutes"}
    found = rows([{"wait": 1, "served": 2.0}, {"wait": 1, "served": 2**60 + 1}], metrics=metrics)
    assert found.dtype == np.dtype([("served", "i8"), ("wait", "f8")])
    assert found["served"].tolist() == [2, 2**60 + 1]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([[1, 2]], "what simulate returned: got [1, 2]; allowed: numbers by name, such as {'wait'"),
        ([None], "what simulate returned: got None; allowed: numbers by name"),
        ([{}], "what simulate returned: got {}; allowed: numbers by name"),
        ([{"a": 1}, {"b": 1}], "metrics of simulate: got b; allowed: a, in every run."),
        ([{"a": 1}, {"a": 1, "b": 1}], "metrics of simulate: got a, b; allowed: a, in every run."),
        ([{"a": "long"}], "a of simulate: got 'long'; allowed: a number; NaN where there is none."),
        ([{"a": None}], "a of simulate: got None; allowed: a number; NaN where there is none."),
        ([{"a": 1j}], "a of simulate: got 1j; allowed: a number; NaN where there is none."),
        ([{"a": np.arange(3)}], "a of simulate: got [0 1 2]; allowed: a number"),
        ([{"a": 10**400}], "allowed: a number that a double can hold."),
        ([{1: 1}], "metrics of simulate: got 1; allowed: names of letters, digits and underscores"),
        ([{"rate": 1}], "metrics of simulate: got 'rate'; allowed: a name that no column of resul"),
        ([{"w": 1, "w_high": 2}], "metrics of simulate: got 'w_high'; allowed: another name, f"),
    ],
    ids=str,
)  # fmt: skip
def test_a_run_that_returns_something_else_fails_with_a_sentence(found, sentence):
    with pytest.raises(TypeError) as error:
        rows(found)
    assert sentence in str(error.value)


def test_a_run_that_leaves_declared_metrics_out_fails():
    with pytest.raises(TypeError, match=r"metrics of simulate: got a; allowed: a, b, as declared."):
        rows([{"a": 1}], metrics={"a": "", "b": ""})
    with pytest.raises(
        TypeError, match=r"a of simulate: got 0.5; allowed: whole numbers, as decla"
    ):
        rows([{"a": 0.5}], metrics={"a": Metric("a", "i8")})
    with pytest.raises(TypeError, match="metrics of simulate: got a; allowed: b among them, the "):
        rows([{"a": 0.5}], primary="b")


def test_parameters_reach_the_function_as_its_own_types():
    seen = []

    @experiment("queue", arms=("one", "two"))
    def simulate(
        *,
        seed: int,
        arm: str,
        rate: float,
        servers: int,
        rule: Rule,
        lazy: bool,
        kind: Literal["a"],
    ) -> dict[str, float]:
        seen.append((seed, arm, rate, servers, rule, lazy, kind))
        return {"wait": 1}

    calls = Calls(declaration_of(simulate))
    fixed = {"rate": Decimal("0.3"), "rule": "last", "kind": "a"}
    varied = {"servers": np.array([1.0, 2.0]), "lazy": [True, False]}
    calls.rows(fixed, varied, np.array([7, 8]), ["one", "two"])
    assert seen == [
        (7, "one", 0.3, 1, Rule.LAST, True, "a"),
        (8, "two", 0.3, 2, Rule.LAST, False, "a"),
    ]
    assert [type(value) for value in seen[0]] == [int, str, float, int, Rule, bool, str]


# -- batches ------------------------------------------------------------------------------------


def test_a_batch_takes_arrays_of_what_varies_and_one_arm_a_call():
    seen = []

    @experiment("queue", arms=("one", "two"), batch=True)
    def simulate(
        seed: NDArray[np.int64], arm: str, rate: float | NDArray[np.float64] = 1.0, servers: int = 2
    ) -> dict[str, NDArray[np.float64]]:
        seen.append((seed.tolist(), arm, np.asarray(rate).tolist(), servers))
        return {"wait": seed * rate, "served": seed + servers}

    calls = Calls(declaration_of(simulate))
    found = calls.rows(
        {"servers": 3}, {"rate": [0.5, 1, 2, 4]}, np.arange(4), ["one", "two", "one", "two"]
    )
    assert seen == [([0, 2], "one", [0.5, 2.0], 3), ([1, 3], "two", [1.0, 4.0], 3)]
    assert found["wait"].tolist() == [0, 1, 4, 12]
    assert found["served"].tolist() == [3, 4, 5, 6]


def test_aliases_of_types_are_read_as_what_they_stand_for():
    """Since Python 3.12 ``type Rate = …`` makes one; numpy's NDArray became one in 2.5."""
    alias = pytest.importorskip("typing_extensions").TypeAliasType
    kind = TypeVar("kind", bound=np.generic)
    array = alias("array", np.ndarray[Any, np.dtype[kind]], type_params=(kind,))
    rate_type = alias("rate_type", Annotated[float, Field(gt=0, description="Arrivals.")])

    @experiment("queue", batch=True)
    def simulate(seed: array[np.int64], rate: rate_type = 1.0, size: int | array[np.int64] = 2):
        return {"wait": seed * rate}

    sweep = sweep_model(declaration_of(simulate))
    assert sweep.model_fields["rate"].description == "Arrivals."
    with pytest.raises(InvalidInput, match="rate: got '0'; allowed: numbers above 0"):
        sweep(rate="0")
    calls = Calls(declaration_of(simulate))
    assert calls.rows({"size": 3}, {"rate": [0.5, 2]}, np.arange(2), None)["wait"].tolist() == [
        0,
        2,
    ]


@pytest.mark.parametrize(
    ("wait", "sentence"),
    [
        (1.5, "wait of simulate: got an array of shape (); allowed: shape (3,): a number for each"),
        (np.zeros(2), "wait of simulate: got an array of shape (2,); allowed: shape (3,): a numbe"),
        (np.zeros((3, 1)), "wait of simulate: got an array of shape (3, 1); allowed: shape (3,)"),
        (np.array(["a"] * 3), "wait of simulate: got an array of <U1; allowed: an array of 3 numb"),
        (["a", 1, 2], "wait of simulate: got an array of <U21; allowed: an array of 3 numbers."),
        (None, "wait of simulate: got None; allowed: an array of 3 numbers."),
        (np.ma.zeros(3), "wait of simulate: got an array of float64; allowed: an array of 3 numbe"),
    ],
    ids=["scalar", "short", "matrix", "text", "mixed", "none", "masked"],
)  # fmt: skip
def test_a_batch_that_returns_something_else_fails(wait, sentence):
    @experiment("queue", batch=True)
    def simulate(seed: int) -> dict[str, object]:
        return {"wait": wait}

    with pytest.raises(TypeError) as error:
        Calls(declaration_of(simulate)).rows({}, {}, np.arange(3), None)
    assert sentence in str(error.value)
