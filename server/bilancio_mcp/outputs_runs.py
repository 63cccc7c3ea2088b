"""What tools return that compare jobs, or tell of single runs."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bilancio.encoding import finite
from bilancio.jobs.views import Comparison
from bilancio_mcp.outputs import Answer, ResultsTable, results_table
from bilancio_mcp.sizes import fitted, six_digits

DIFFERS = 1_000  # characters


class ComparedJobs(Answer):
    """How jobs differ from the first of them."""

    differs: Annotated[
        dict[str, Any], BeforeValidator(lambda data: six_digits(fitted(finite(data), DIFFERS)))
    ] = Field(description="Parameter to each job's value.")
    table: ResultsTable | None


def compared_table(seen: Comparison, measures: tuple[str, ...]) -> ResultsTable | None:
    """Return the differences, of the primary measure where none was chosen.

    What one row says stands in the sentence of the answer.
    """
    if len(seen.table.rows) < 2 and not measures and not seen.table.n_keys:  # noqa: PLR2004
        return None
    return results_table(seen.table, seen.primary, measures or (seen.primary,), offset=0)
