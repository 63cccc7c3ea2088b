"""Arguments that several tools take, and how text that stands for them is read."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def split_text(given: Any) -> Any:
    """Return the words of a text that stands for a list: ``kappa, mu``; other values unchanged."""
    if isinstance(given, str):
        return [word for each in given.split(",") if (word := each.strip())]
    return given


AnyName = Annotated[
    str, Field(description="The job's name in any spelling; a typo a word is forgiven.")
]
ExactName = Annotated[str, Field(description="The job's whole name.")]
Offset = Annotated[int, Field(ge=0, description="Rows to skip.")]
Texts = Annotated[tuple[str, ...], BeforeValidator(split_text)]
