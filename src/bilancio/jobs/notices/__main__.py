"""A courier: delivers the notices that are due, stays for later tries for a while, and ends."""

import asyncio
import contextlib
import os

from bilancio.errors import BilancioError
from bilancio.jobs.notices.delivery import deliver
from bilancio.jobs.store import open_store
from bilancio.settings import load_settings

STAYS_S = 900.0


async def _process() -> None:
    settings = load_settings()
    with contextlib.suppress(BilancioError):  # notices wait for the next courier
        store = await open_store(settings.database_url)
        try:
            await deliver(store, settings, patience_s=STAYS_S)
        finally:
            await store.close()
    os._exit(0)  # without waiting for a receiver that hangs


def main() -> None:
    """Run a courier."""
    asyncio.run(_process())


if __name__ == "__main__":
    main()
