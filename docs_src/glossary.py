"""docs/glossary.md: each parameter with its unit and direction, each metric, words of the model."""

from typing import Any

from bilancio.experiments.balanced_comparison import EXPERIMENT
from bilancio.experiments.dictionary import metric_facts
from bilancio.model.metrics import METRICS
from bilancio.model.parameters import BalancedParameters, axes_of, scale_of
from docs_src.tables import table

ABOUT = """\
# Glossary

What each word, parameter and metric of the model means. Every parameter is an option of `bilancio
sweep` (`--n-agents`), a field of a configuration (`n_agents`), and an axis of a sweep: those with a
plural have a list of their own (`--kappas 0.5,1`), every other one is varied by `--vary
n_agents=50:200:50`. How they work together is told in [The model in words](words.md).
"""
WORDS = {
    "active arm": "Dealers quote prices, and traders that lack cash sell claims to them.",
    "arm": "A variant of the same run: passive or active. Both have the same seed.",
    "bucket": "Claims by days to their due day: short (1 to 3), mid (4 to 8), long (9 and more).",
    "cell": "One combination of parameters of a sweep.",
    "dealer": "Buys and sells claims of one bucket for its own account, between the VBT's prices.",
    "default": "A trader cannot pay a debt in full on its due day. It pays what it has and leaves.",
    "default rate, δ": (
        "The share of the initial debt, by face, that is not paid in full on its due day. What is "
        "recovered of such debt does not lower it: it is `recovered_face`."
    ),
    "desk": "A dealer or VBT of one bucket.",
    "headline": "The one sentence that says what a job has found.",
    "job": "A sweep under a name of four words, with everything that became of it.",
    "pair": "Two runs of one cell and seed, one in each arm.",
    "passive arm": "Dealers hold their claims and quote nothing.",
    "relief ratio": "The effect of trading as a share of the default rate without it.",
    "recovered face": "What holders were paid on debts in default.",
    "rollover": "A debt that was paid is made anew, with the same size and time to its due day.",
    "seed": "The number that all random draws of a run follow from.",
    "ticket": "A part of a debt that can be sold.",
    "trader": "A firm of the ring.",
    "trading effect": "Default rate of the passive arm less that of the active: positive is good.",
    "VBT": "Value-based trader: stands ready at outside prices, with as much as it has.",
    "whole seed": "A seed under which every cell and arm has a result.",
}


def page() -> str:
    """Return the page."""
    axes = axes_of(BalancedParameters)
    parameters = []
    for name, field in BalancedParameters.model_fields.items():
        if name not in {"kind", "arm"}:
            scale = scale_of(field)
            parameters.append(
                [
                    f"`{name}`" + (f" ({axes[name].symbol})" if name in axes else ""),
                    field.description,
                    scale.unit if scale else "",
                    scale.larger if scale else "",
                    _default(field.default),
                ]
            )
    metrics = [
        [f"`{facts.name}`", facts.meaning, facts.unit] for facts in map(metric_facts, METRICS)
    ]
    measures = [
        [f"`{each.name}`", each.meaning, each.unit]
        for each in EXPERIMENT.measures([metric.name for metric in METRICS])
    ]
    return "\n".join(
        [
            ABOUT,
            "## Words\n",
            table(
                ("word", "meaning"), [[word, WORDS[word]] for word in sorted(WORDS, key=str.lower)]
            ),
            "## Parameters\n",
            "Unit 1 is a ratio. Ranges are in [Command line](commands.md).\n",
            table(("parameter", "meaning", "unit", "a larger value means", "default"), parameters),
            "## Metrics of a run\n",
            "Defined in [MODEL, section 8](MODEL.md#8-metrics-of-a-run).\n",
            table(("metric", "meaning", "unit"), metrics),
            "## Measures of a comparison\n",
            "What results of a `balanced` sweep are averages of, each over whole seeds.\n",
            table(("measure", "meaning", "unit"), measures),
        ]
    )


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,g}" if isinstance(value, float | int) else str(value)
