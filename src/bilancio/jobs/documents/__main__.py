"""Write the report of a job that has ended; the argument is its name."""

import asyncio
import sys

from bilancio.errors import BilancioError
from bilancio.jobs.artifacts.headers import read_whole
from bilancio.jobs.documents import report
from bilancio.jobs.session import Session
from bilancio.settings import load_settings


async def _write(job_id: str) -> str:
    session = Session(load_settings(), read_whole=read_whole)
    try:
        return str((await report(session, job_id)).path)
    finally:
        await session.close()


def main() -> None:
    """Write the report, and print its path or why there is none."""
    try:
        told, code = asyncio.run(_write(sys.argv[1])), 0
    except BilancioError as error:
        told, code = str(error), 1
    sys.stdout.write(f"{told}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
