"""The golden data: inputs and outcomes of runs that engine and oracle must reproduce.

README.md, beside this file, says which columns have to agree and how closely.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _flag(text: str) -> bool:
    return {"True": True, "False": False}[text]


def _numbers(text: str) -> tuple[int | float, ...]:
    return tuple(_number(word) for word in text.split())


_INPUTS = {
    "kind": str,
    "arm": str,
    "n_agents": int,
    "kappa": _number,
    "concentration": _number,
    "mu": _number,
    "monotonicity": _number,
    "maturity_days": int,
    "q_total": _number,
    "seed": int,
    "liquidity_mode": str,
    "liquidity_agent": int,
    "liquidity_vector": _numbers,
    "default_handling": str,
    "rollover": _flag,
    "early_stop": _flag,
    "face_value": int,
    "outside_mid_ratio": float,
    "vbt_share": float,
    "dealer_share": float,
    "anchor_update": _flag,
    "outside_depth": str,
    "horizon": int,
}

_OUTCOMES = {
    "phi_total": float,
    "delta_total": float,
    "n_defaults": int,
    "days_simulated": int,
    "end": str,
    "cash_end_micro": int,
    "injection_micro": int,
    "defaulted_face": int,
    "written_off_face": int,
    "recovered_micro": int,
    "n_trades": int,
    "n_interior": int,
    "n_passthrough": int,
    "traded_face": int,
    "dealer_pnl": float,
    "vbt_pnl": float,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRow:
    """One run.

    Attributes
    ----------
    name : str
        File and line, such as ``reference_ring-2``.
    inputs : dict
        Keyword arguments of the run. A field left empty in the file does not
        apply, and is missing here.
    expected : dict
        Outcomes by name; None for a ratio that the run does not have.
    """

    name: str
    inputs: dict[str, Any]
    expected: dict[str, Any]


def golden_rows(name: str) -> list[GoldenRow]:
    """Return the rows of the file *name* (``reference_ring``), typed.

    Raises
    ------
    KeyError
        If the file has a column that is neither a known input nor a known outcome.
    """
    with (_HERE / f"{name}.csv").open(newline="") as file:
        return [
            _typed(f"{name}-{line}", row) for line, row in enumerate(csv.DictReader(file), start=2)
        ]


def dealer_examples() -> dict[str, Any]:
    """Return the published worked examples of the dealer (S = 1 unless said)."""
    return json.loads((_HERE / "dealer_examples.json").read_text())


def _typed(name: str, row: dict[str, str]) -> GoldenRow:
    inputs, expected = {}, {}
    for column, text in row.items():
        if column in _INPUTS:
            if text:
                inputs[column] = _INPUTS[column](text)
        else:
            expected[column] = _OUTCOMES[column](text) if text else None
    return GoldenRow(name=name, inputs=inputs, expected=expected)
