"""Any order of calls leaves a job as a plain model of its life says: DESIGN, section 4."""

import itertools
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bilancio.errors import JobStateError, LeaseLost
from bilancio.experiments import registry
from bilancio.jobs import JobManager, JobStatus
from bilancio.jobs.models import Lease
from bilancio.jobs.store import FinishedBatch, packing
from tests.faults.kit import NAME, replayed, stored

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

RUNS = 40
SOME_RUNS = st.integers(0, 2)  # few, so that they are tried again


class LifeOfAJob(RuleBasedStateMachine):
    """One job; callers by hand, and workers that come, write, lose their lease and write on."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        url = str(Path(self.folder.name) / "s.db")
        self.manager = JobManager(url, out_dir=Path(self.folder.name) / "out")
        self.manager.create_job("try", {"sweep_type": "trivial", "n": RUNS}, job_id=NAME)
        self.store = self.manager._loop.wait(self.manager._manager.store)
        self.status, self.manual, self.attempts = "pending", False, 0
        self.done, self.failed = set(), set()
        self.leases, self.holder, self.names = [], None, itertools.count()

    def teardown(self):
        self.manager.close()
        self.folder.cleanup()

    def wait(self, work):
        return self.manager._loop.wait(lambda: work)

    # -- by hand ----------------------------------------------------------------------------

    @rule()
    def start_manually(self):
        allowed = self.status == "pending" or (
            self.manual and self.status in {"failed", "cancelled"}
        )
        if allowed:
            self.manager.start_job(NAME)
            self.status, self.manual, self.attempts = "running", True, self.attempts + 1
        else:
            with pytest.raises(JobStateError):
                self.manager.start_job(NAME)

    @rule()
    def record_manually(self):
        run = f"run-{next(self.names)}"
        if self.manual and self.status == "running":
            self.manager.record_progress(NAME, run, {"value": 1.0})
            self.done.add(max(self.done, default=-1) + 1)
        else:
            with pytest.raises(JobStateError):
                self.manager.record_progress(NAME, run, {"value": 1.0})

    @rule(completed=st.booleans())
    def end_manually(self, completed):
        def end():
            if completed:
                return self.manager.complete_job(NAME, {"avg": 1.0})
            return self.manager.fail_job(NAME, "no")

        if self.manual and self.status == "running":
            end()
            self.status = "completed" if completed else "failed"
        else:
            with pytest.raises(JobStateError):
                end()

    @rule()
    def cancel(self):
        if self.status == "completed":
            with pytest.raises(JobStateError):
                self.manager.cancel_job(NAME)
        else:
            self.manager.cancel_job(NAME)
            self.status, self.holder = "cancelled", None

    # -- workers ----------------------------------------------------------------------------

    @rule(dead=st.booleans())
    @precondition(lambda self: not self.manual)
    def claim(self, dead):
        known_dead = self.holder.fence if dead and self.holder else None
        worker = f"worker-{len(self.leases)}"
        claimed = self.wait(
            self.store.claim(
                NAME, worker, lease_s=60, executor="local", dead_fence=known_dead, pid=os.getpid()
            )
        )
        free = self.status in {"pending", "failed", "cancelled"} or known_dead is not None
        assert (claimed is not None) == free
        if claimed:
            self.holder = claimed[0]
            self.leases.append(self.holder)
            self.status, self.attempts = "running", self.attempts + 1

    @rule(which=st.integers(0, 5), run=SOME_RUNS, fails=st.booleans())
    @precondition(lambda self: self.leases)
    def record(self, which, run, fails):
        self.recorded(self.leases[-1 - which % len(self.leases)], run, fails)

    @rule(run=SOME_RUNS, fails=st.booleans())
    @precondition(lambda self: self.holder)
    def record_as_holder(self, run, fails):
        self.recorded(self.holder, run, fails)

    def recorded(self, lease, run, fails):
        if run in self.done:
            return
        rows = np.array([(2.0 * run,)], [("value", float)])
        chunks = [] if fails else packing.split(np.array([run]), rows)
        details = {"completed": int(not fails), "failed": int(fails)}
        batch = FinishedBatch(
            chunks=chunks, failures={run: "no"} if fails else {}, details=details, compute_s=1.0
        )
        if self.written(self.store.record(lease, [batch], lease_s=60), lease):
            (self.failed if fails else self.done).add(run)
            self.failed -= self.done

    @rule(which=st.integers(0, 5))
    @precondition(lambda self: self.leases)
    def end(self, which):
        lease = self.leases[-1 - which % len(self.leases)]
        status = JobStatus.FAILED if self.failed else JobStatus.COMPLETED
        error = "no" if self.failed else None
        if self.written(self.store.end(lease, status, summary={}, error=error), lease):
            self.status, self.holder = status.value, None

    @rule(which=st.integers(0, 5))
    @precondition(lambda self: self.leases)
    def renew(self, which):
        lease = self.leases[-1 - which % len(self.leases)]
        self.written(self.store.renew(lease, 60), lease)

    def written(self, work, lease: Lease):
        """Do what a worker wants to write; tell whether it could, which the holder alone can."""
        if lease == self.holder:
            self.wait(work)
            return True
        with pytest.raises(LeaseLost):
            self.wait(work)
        return False

    # -- what always holds ------------------------------------------------------------------

    @invariant()
    def the_job_is_what_the_model_says(self):
        job = self.manager.get_job(NAME)
        assert job.state == self.status
        assert (job.completed_runs, job.failed_runs) == (len(self.done), len(self.failed))
        assert (job.attempts, job.manual) == (self.attempts, self.manual)
        assert (job.holder is None) == (self.holder is None)

    @invariant()
    def the_events_tell_the_same(self):
        events = self.manager.events(NAME)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert replayed(events) == stored(self.manager.get_job(NAME))


def test_any_order_of_calls_leaves_a_job_as_its_life_cycle_says(monkeypatch):
    registry._plugins.cache_clear()
    LifeOfAJob.TestCase.settings = settings(
        max_examples=30,
        stateful_step_count=15,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    LifeOfAJob.TestCase().runTest()
