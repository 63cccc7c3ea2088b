"""Arguments that several tools take, and how text that stands for them is read."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bilancio.experiments.questions import all_of


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
Condition = Annotated[
    str | dict[str, Any] | None,
    BeforeValidator(all_of),
    Field(description="Cells, as 'kappa < 0.5 and mu = 0'."),
]
Texts = Annotated[tuple[str, ...], BeforeValidator(split_text)]
