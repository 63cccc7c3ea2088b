"""Jobs of the kinds that reports are looked at: made by real workers, in the test's own store."""

from bilancio.jobs import JobManager
from tests.own_project import copy_example, working_in, write

HOSTILE = (
    "<script>alert('x')</script><img src=x onerror=alert(1)> "
    "\u202eevil\u202c \x1b[31m \x07 </title>"
)
FALLING = """
from bilancio import experiment

@experiment("falling", arms=("left", "right"), primary="height")
def fall(seed: int, arm: str, slope: float = 1.0) -> dict[str, float]:
    '''Fall down a slope.'''
    if seed == 43 and slope > 1:
        raise ValueError("<script>alert(1)</script> too steep \\u202e \\x1b[2J " + "long" * 100)
    return {"height": slope * seed + (1 if arm == "left" else seed % 3)}
"""


def ran(manager, job_id, config, **about):
    about = {"description": "Look at it.", **about}
    manager.create_job(config=config, job_id=job_id, **about)
    manager.run_job(job_id)
    return job_id


def balanced(manager, folder, monkeypatch):
    config = {
        "sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1", "2"], "mus": [0, 1],
        "n_replicates": 5,
    }  # fmt: skip
    return ran(manager, "bright-ocean-swift-tiger", config, tags=["a", "b"], notes="Two\nlines.")


def ring(manager, folder, monkeypatch):
    config = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.3", "1"], "n_replicates": 4}
    return ran(manager, "quiet-meadow-golden-hawk", config)


def own(manager, folder, monkeypatch):
    with working_in(folder / "queue", monkeypatch) as place:
        copy_example("queue", place)
        vary = {"rate": [0.5, 0.9], "servers": [2, 4], "customers": [50]}
        config = {"sweep_type": "queue", "vary": vary, "n_replicates": 4}
        job_id = ran(manager, "castle-river-mountain-forest", config)
        yield job_id


def unfinished(manager, folder, monkeypatch):
    config = {
        "sweep_type": "balanced", "n_agents": 200, "kappas": ["0.3", "1"], "n_replicates": 5000,
    }  # fmt: skip
    job = manager.create_job("Not done.", config, job_id="castle-ocean-meadow-tiger")
    manager.start_sweep(job.job_id)
    for step in manager.watch(job.job_id):
        if step.done_runs:
            break
    manager.cancel_job(job.job_id)
    return job.job_id


def failed(manager, folder, monkeypatch):
    with working_in(folder / "falling", monkeypatch) as place:
        write(place, words=FALLING)
        config = {"sweep_type": "falling", "vary": {"slope": [1, 2, 3]}, "n_replicates": 4}
        job_id = ran(manager, "forest-hawk-river-golden", config)
        yield job_id


def hostile(manager, folder, monkeypatch):
    config = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5"], "n_replicates": 2}
    tags = ["<b>bold</b>", "</script>", "x" * 100]
    description = f"{HOSTILE} {'W' * 200}"
    notes = f"\u0634\u0643\u0631\u0627 {HOSTILE}\nsecond line"
    return ran(
        manager, "swift-quiet-bright-river", config, description=description, notes=notes, tags=tags
    )


KINDS = (balanced, ring, own, unfinished, failed, hostile)


def made(kind, folder, monkeypatch):
    """Return the name of a job of a kind, its report, and the text of that."""
    with JobManager() as manager:
        found = kind(manager, folder, monkeypatch)
        job_id = found if isinstance(found, str) else next(found)
        path = manager.report(job_id).path
        if not isinstance(found, str):
            assert next(found, None) is None
    return job_id, path, path.read_text("utf-8")
