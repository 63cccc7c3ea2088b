"""The publications whose model the engine computes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PAPERS: tuple[Mapping[str, Any], ...] = (
    MappingProxyType(
        {
            "type": "generic",
            "title": "Liquidity and internal debt: instrument level dealer based simulation",
            "year": 2025,
            "month": 12,
            "authors": [
                {"family-names": name}
                for name in ("Stojanovic", "Gheorghe", "Loebach", "Toporowski")
            ],
        }
    ),
    MappingProxyType(
        {
            "type": "article",
            "title": "The Economics of the Dealer Function",
            "year": 1987,
            "journal": "Financial Analysts Journal",
            "authors": [{"family-names": "Treynor", "given-names": "Jack L."}],
        }
    ),
)
"""Each as the references of a CITATION.cff have it."""
