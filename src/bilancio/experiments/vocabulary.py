"""The words in which researchers ask for a sweep and its results, and the names that they mean.

Where a sweep is configured they are offered when a name is refused, at every door; none is taken
for the field itself, since a word says less than the field does. Where results are asked for they
are read, and the answer says how: nothing is started or stored by a question.
"""

import unicodedata
from collections.abc import Collection, Mapping
from types import MappingProxyType

from bilancio.errors import InvalidInput, Problem
from bilancio.text import having
from bilancio.validation import nearest, unknown_field

SWEEP_TYPES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "balanced_comparison", "balanced_sweep", "comparison", "compare", "dealer", "dealers",
            "dealer_comparison", "dealer_ring", "pair", "pairs", "paired", "trading", "vbt",
        ),
        "balanced",
    ),
    **dict.fromkeys(
        (
            "baseline", "grid", "kalecki", "kalecki_ring", "no_dealer", "no_dealers", "passive",
            "plain", "plain_ring", "ring_sweep", "without_dealers",
        ),
        "ring",
    ),
    **dict.fromkeys(("one", "one_run", "run", "simulation", "single_run", "trial"), "single"),
}  # fmt: skip
"""What is called otherwise than its sweep type."""

_KAPPA, _EQUALITY = ("kappas", "kappa"), ("concentrations", "concentration")
_TIMING, _ORDER = ("mus", "mu"), ("monotonicities", "monotonicity")
_PRICE = ("outside_mid_ratios", "outside_mid_ratio")
FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "κ", "liquidity", "liquidities", "liquidity_ratio", "cash", "cash_ratio",
            "cash_to_debt", "debt_ratio",
        ),
        _KAPPA,
    ),
    **dict.fromkeys(("inequality", "equality", "dirichlet", "alpha", "heterogeneity"), _EQUALITY),
    **dict.fromkeys(("μ", "timing", "lead_lag", "leadlag", "due_days", "mismatch"), _TIMING),
    **dict.fromkeys(("order", "ordering", "sorting"), _ORDER),
    **dict.fromkeys(
        ("ρ", "rho", "rhos", "price", "prices", "mid", "outside_mid", "mid_ratio"), _PRICE
    ),
    **dict.fromkeys(
        (
            "agents", "firms", "n", "n_firms", "n_traders", "num_agents", "number_of_agents",
            "number_of_firms", "number_of_traders", "population", "ring", "ring_size", "rings",
            "size", "traders",
        ),
        ("n_agents",),
    ),
    **dict.fromkeys(
        (
            "n_seeds", "num_seeds", "repetitions", "repeats", "replicates", "replications", "reps",
            "runs", "n_runs", "samples", "trials",
        ),
        ("n_replicates",),
    ),
    **dict.fromkeys(("days", "n_days", "maturity", "maturities", "term"), ("maturity_days",)),
    **dict.fromkeys(("debt", "debts", "total_debt", "volume"), ("q_total",)),
    **dict.fromkeys(("default", "defaults", "default_mode", "on_default"), ("default_handling",)),
    **dict.fromkeys(("ci", "ci_width", "half_width", "tolerance"), ("precision",)),
    **dict.fromkeys(("hypercube", "latin_hypercube", "latin"), ("lhs",)),
    **dict.fromkeys(("axes", "parameters", "params", "sweep", "vary_by"), ("vary",)),
    **dict.fromkeys(("type", "kind", "experiment", "model", "scenario"), ("sweep_type",)),
    **dict.fromkeys(("breakeven", "critical", "search", "target"), ("threshold",)),
    "ticket_size": ("face_value",),
}  # fmt: skip
"""The fields that a word may mean, those that lists and those of one value among them."""

COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(
        ("default_rate", "delta", "δ", "share_defaulted", "defaulted_share"), "delta_total"
    ),
    **dict.fromkeys(
        ("default", "number_of_default", "num_default", "defaulted_agent", "failure"),
        "n_defaults",
    ),
    **dict.fromkeys(("recovered", "recovery"), "recovered_face"),
    **dict.fromkeys(("clearing_rate", "phi", "φ"), "phi_total"),
    **dict.fromkeys(("relief", "relief_ratio", "trading_relief"), "trading_relief_ratio"),
    **dict.fromkeys(("trade", "sale", "number_of_trade", "num_trade", "tickets_sold"), "n_trades"),
    **dict.fromkeys(
        ("profit", "pnl", "p&l", "dealer_profit", "dealers_profit", "dealer_gain"), "dealer_pnl"
    ),
    **dict.fromkeys(("vbt_profit", "vbt_gain"), "vbt_pnl"),
    **dict.fromkeys(("random_seed", "replicate", "repetition"), "seed"),
}
"""The metric or column of results that a word in the singular means."""

_LOW, _LOWEST, _HIGH, _HIGHEST = ("<=", False), ("<=", True), (">=", False), (">=", True)
ENDS: Mapping[str, tuple[str, bool]] = {
    **dict.fromkeys(("low", "small", "scarce", "few", "short", "little", "tight"), _LOW),
    **dict.fromkeys(("lowest", "smallest", "least", "fewest", "shortest", "minimal"), _LOWEST),
    **dict.fromkeys(("high", "large", "big", "ample", "abundant", "many", "long"), _HIGH),
    **dict.fromkeys(("highest", "largest", "biggest", "most", "longest", "maximal"), _HIGHEST),
}
"""The values of a parameter that a word means: at which end, and whether the last one alone."""

EFFECT = ("effect", "difference", "benefit", "gain", "improvement", "effect_of_trading")
"""What the primary measure of a sweep with arms is called."""

_ARMS = "sweep_type balanced, which runs both arms"
_PRESETS = "sweep_type ring or balanced, which have presets"
_EXECUTOR = "the setting BILANCIO_EXECUTOR, or cloud: true for Modal"
_WORKERS = "the setting BILANCIO_WORKERS"
PHRASES: Mapping[str, str] = {
    **dict.fromkeys(
        ("arm", "arms", "dealers", "dealer", "trading", "with_dealers", "with_trading"), _ARMS
    ),
    **dict.fromkeys(("preset", "presets"), _PRESETS),
    **dict.fromkeys(("backend", "cluster", "executor", "scheduler"), _EXECUTOR),
    **dict.fromkeys(
        ("cores", "cpus", "n_cores", "n_jobs", "n_workers", "parallel", "processes", "threads"),
        _WORKERS,
    ),
    "workers": _WORKERS,
}
"""What is said by no field of its own."""

BESIDE = frozenset(
    {
        "description",
        "dry_run",
        "job_id",
        "like",
        "notes",
        "notify",
        "out_dir",
        "request_key",
        "tags",
    }
)
"""What is said of a job beside its configuration, by arguments of these names."""


def sweep_type_of(word: str, known: Collection[str]) -> str:
    """Return the sweep type that a word probably means, or an empty string."""
    meant = SWEEP_TYPES.get(_plain(word), "")
    return meant if meant in known else nearest(word, known)


def field_of(word: str, known: Collection[str]) -> str:
    """Return what a word means that is no field: a field, or how it is said; else nothing."""
    plain = _plain(word)
    if plain in PHRASES:
        return PHRASES[plain]
    return next((field for field in FIELDS.get(plain, ()) if field in known), "")


def columns_of(
    word: str,
    known: Collection[str],
    effect: str = "",
    families: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Return the columns of results that a word means; none where that is not clear.

    A name is itself, whatever its case, with hyphens or spaces, singular or plural. A word for a
    metric is what it is in each arm, and the difference, where these are columns.

    Parameters
    ----------
    known
        Names of the columns.
    effect
        The measure that compares arms; empty where there is none.
    families
        Metrics that stand for several columns, one an arm: metric → columns.
    """
    if word in known:
        return (word,)
    names = [*known, *(each for each in families if each not in known)]
    plain, one = _plain(word), _singular(_plain(word))
    alike = [name for name in names if _singular(_plain(name)) == one]
    if alike:
        found = alike[0] if len(alike) == 1 else ""
    elif effect in known and one in EFFECT:
        found = effect
    else:
        metric = COLUMNS.get(one, "")
        if metric in families:
            return families[metric]
        meant = (metric, *FIELDS.get(plain, ()), *FIELDS.get(one, ()))
        found = next((name for name in meant if name in names), "")
    if found in known:
        return (found,)
    return families.get(found, ())


def end_of(word: str) -> tuple[str, bool] | None:
    """Return which end of a parameter's values a word means, as in `ENDS`; None for neither."""
    return ENDS.get(_plain(word))


def unknown(name: str, known: Collection[str], within: str = "") -> Problem:
    """Return the problem of a name that does not exist, with what it probably means."""
    return _meaning(unknown_field(name, known, within), field_of(name, known))


def in_fields(
    error: InvalidInput,
    known: Collection[str],
    *,
    beside: Collection[str] = (),
    types: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> InvalidInput:
    """Return *error* with the fields that researchers' words mean.

    Parameters
    ----------
    known
        The fields that there are.
    beside
        Arguments that stand beside the configuration, where it was one itself.
    types
        Sweep types, and the fields that they have.
    """
    problems = []
    for problem in error.problems:
        word = problem.field.rpartition(": ")[2]  # after the file that it stands in
        meant = (field_of(word, known) or _type_with(word, types)) if problem.unknown else ""
        if problem.unknown and word in beside:
            meant = f"the argument {word}, beside config"
        problems.append(_meaning(problem, meant))
    return InvalidInput(problems, error.omitted)


def _type_with(field: str, types: Mapping[str, Collection[str]]) -> str:
    """Return the sweep types that have a field, as what is meant; nothing where none has."""
    found = [name for name, fields in types.items() if field in fields]
    return f"sweep_type {having(found)}" if found else ""


def _meaning(problem: Problem, meant: str) -> Problem:
    """Return a problem with what is meant, if that is known, in place of names that look alike."""
    return problem._replace(meant=meant, allowed="") if meant else problem


def _plain(word: str) -> str:
    plain = unicodedata.normalize("NFKC", word.strip()).casefold()  # µ is also the sign for micro
    return "_".join(plain.replace("-", "_").split())


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
