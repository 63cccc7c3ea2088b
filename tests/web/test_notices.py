"""A server of pages delivers the notices that wait in its store."""

from bilancio.jobs import JobManager
from tests.notify.receivers import target
from tests.web.conftest import serving_app


def test_what_waits_is_delivered_while_pages_are_served(isolated, monkeypatch):
    monkeypatch.setattr("bilancio.web.app.NOTICES_S", 0.1)
    with target(monkeypatch) as receiver:
        with JobManager() as manager:
            sweep = {"sweep_type": "ring", "n_agents": 5}
            job_id = manager.create_job("by hand", sweep, notify=["lab"]).job_id
        with monkeypatch.context() as silent:
            silent.delenv("BILANCIO_NOTIFY")
            with JobManager() as manager:
                manager.start_job(job_id)
                manager.complete_job(job_id)
        with serving_app() as page:
            assert page.get("/").status == 200
            assert receiver.next_id().startswith(f"{job_id}_")
