"""`bilancio` alone: what is here, what ran last, what to try next."""

from importlib.metadata import version

from bilancio.cli.context import with_manager
from bilancio.cli.render.console import Output
from bilancio.errors import BilancioError
from bilancio.jobs.clock import utc_now
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.views import Page
from bilancio.settings import SQLITE_PREFIX, redact_url
from bilancio.text import plural

LATEST = 3
FAILED = 1


def greet() -> int:
    """Say it, and return the exit code; where the store does not answer, say why."""
    output = Output()
    try:
        page, store = with_manager(_look)
    except BilancioError as error:
        output.note(str(error))
        output.say("All commands: bilancio --help. What is wrong: bilancio doctor")
        return FAILED
    if not page.jobs:
        output.say("There are no jobs yet. A small finished study to look at: bilancio demo")
        output.say(
            "A sweep of your own: bilancio sweep balanced --preset quick. All else: bilancio --help"
        )
        return 0
    _show(output, page, store)
    return 0


async def _look(manager: AsyncJobManager) -> tuple[Page, str]:
    store = redact_url(manager.settings.database_url).removeprefix(SQLITE_PREFIX)
    return await manager.list_jobs(limit=LATEST), store


def _show(output: Output, page: Page, store: str) -> None:
    from bilancio.cli.render.jobs import next_command  # tables, which an empty store has not
    from bilancio.cli.render.tables import jobs_table  # as above

    latest = page.jobs[0]
    more = "; the latest:" if page.total > len(page.jobs) else ":"
    said = version("bilancio")
    output.say(f"bilancio {said}. {plural(page.total, 'job')} in {store}{more}")
    output.say()
    output.show(jobs_table(page, utc_now(), width=output.width))
    output.say()
    output.say(next_command(latest))
    output.say("All jobs: bilancio jobs list. In a browser: bilancio serve")
    output.say("A new sweep: bilancio sweep balanced --preset stressed. Others: bilancio presets")
    output.say("All commands: bilancio --help")
