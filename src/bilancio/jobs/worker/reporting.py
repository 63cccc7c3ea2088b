"""Have a report written at the end of a job, by a process of its own.

What a report needs (matplotlib, jinja2, a traced engine) is no part of computing a job: whatever
happens to that process, the job is as it was.
"""

import asyncio
import logging

from bilancio import interpreter
from bilancio.printable import shortened
from bilancio.settings import Settings

PATIENCE_S = 300.0
MAX_SAID = 2000  # characters of what the process has said

log = logging.getLogger("bilancio.worker")


async def write_report(job_id: str, settings: Settings) -> None:
    """Write the report of a job, and log where it is, or why there is none."""
    command = interpreter.command("bilancio.jobs.documents.__main__", job_id)
    environment = interpreter.environment(**settings.as_environment())
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
    except OSError as error:
        log.warning("no report was written: %s", error)
        return
    try:
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    except TimeoutError:
        log.warning("no report was written within %.0f s", PATIENCE_S)
    else:
        told = shortened(said.decode("utf-8", "replace").strip(), MAX_SAID)
        if process.returncode:
            log.warning("no report was written: %s", told or f"exit code {process.returncode}")
        else:
            log.info("report: %s", told)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
