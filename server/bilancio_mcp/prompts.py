"""Prompts: what a user picks from a menu instead of saying it in words of her own."""

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from bilancio.printable import escaped, shortened

NAMES = ("job_id", "other")
"""Arguments that name a job."""
MAX_ARGUMENT = 2_000

RUN_SWEEP = """\
Run a simulation sweep with bilancio: {request}

1. create_job with these words as description and a config for them; several seeds (n_replicates \
10 or more).
2. Show me the job's name, the number of runs and the estimate, before anything else. Ask before \
starting what takes more than a few minutes, or many runs whose time is not known.
3. start_sweep. Wait with job_status where it is short; otherwise tell me the name and stop.
4. job_results, grouped by what varies: the effect with its interval, the number of seeds, every \
warning."""

EXPLAIN_RESULTS = """\
Explain what the job {job_id} found.

Call job_results; then group_by what was varied, and effects where several parameters were. Say \
what was asked, the headline with its interval and the number of seeds, which parameter matters, \
and every warning. An interval that contains 0 is no evidence of an effect, nor that there is \
none. Say what could be done next."""

COMPARE = """\
Compare the jobs {job_id} and {other}.

Call compare_jobs with both. Say how they differ in what was asked, what they share, how the \
results differ over it, with intervals, and whether the headlines may be compared at all."""


def add_prompts(server: MCPServer[Any]) -> None:
    """Register the prompts."""

    @server.prompt("run_sweep", title="Run a sweep", description="Create, start, and summarise.")
    def run_sweep(
        request: Annotated[str, Field(description="What is to be simulated, in your words.")],
    ) -> str:
        return RUN_SWEEP.format(request=_told(request))

    @server.prompt(
        "explain_results", title="Explain results", description="What a job found, and how sure."
    )
    def explain_results(
        job_id: Annotated[str, Field(description="The job's name.")],
    ) -> str:
        return EXPLAIN_RESULTS.format(job_id=_told(job_id))

    @server.prompt("compare", title="Compare two jobs", description="How two jobs differ.")
    def compare(
        job_id: Annotated[str, Field(description="A job's name.")],
        other: Annotated[str, Field(description="The other job's name.")],
    ) -> str:
        return COMPARE.format(job_id=_told(job_id), other=_told(other))


def _told(argument: str) -> str:
    return shortened(escaped(argument), MAX_ARGUMENT)
