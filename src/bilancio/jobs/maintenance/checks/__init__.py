"""What the doctor looks at, in the order in which it looks.

A check is a function that yields what it has looked at (`Checked`) and what it has found
(`Issue`). Adding one means writing the function and naming it here.
"""

from bilancio.jobs.maintenance.checks import jobs, machine, manifests, notices, store, workers
from bilancio.jobs.maintenance.checks.base import MachineCheck, StoreCheck

#: Need no store.
MACHINE_CHECKS: tuple[MachineCheck, ...] = (
    machine.check_sqlite,
    machine.check_experiments,
    machine.check_executor,
    machine.check_store_folder,
    machine.check_out_dir,
    machine.check_runs_format,
    machine.check_cache_folder,
    notices.check_targets,
)

#: Need the store opened.
STORE_CHECKS: tuple[StoreCheck, ...] = (
    store.check_file,
    store.check_room,
    store.check_server,
    store.check_rows,
    store.check_chunks,
    store.check_counters,
    jobs.check_stalled,
    jobs.check_experiments,
    workers.check_locks,
    notices.check_notices,
    manifests.check_manifests,
    manifests.check_refused,
)
