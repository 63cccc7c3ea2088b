"""docs/images: pictures as the product draws them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bilancio.jobs import JobManager

BRIGHT = (
    "bright-ocean-swift-tiger",
    {"kappas": "0.25,0.5,1,2", "mus": "0,0.5", "n_replicates": 20},
)
CALM = ("calm-river-amber-fox", {"preset": "stressed"})

#: By file: the job that it is of and its sweep, the kind of picture, and by what it is drawn. The
#: pages show the SVG, which is light or dark as its reader's browser is; a registry takes a PNG.
PICTURES: dict[str, tuple[tuple[str, dict[str, Any]], str, str | None]] = {
    "default-rate.png": (BRIGHT, "default_rate", "kappa"),
    "default-rate.svg": (BRIGHT, "default_rate", "kappa"),
    "default-rate-by-mu.svg": (CALM, "default_rate", "mu"),
    "effect.svg": (CALM, "effect", None),
}


def draw(name: str) -> bytes:
    """Compute the sweep of a picture, and return it as PNG or SVG, as its name says."""
    (job_id, sweep), kind, x = PICTURES[name]
    with (
        TemporaryDirectory() as folder,
        JobManager(Path(folder) / "store.db", out_dir=folder) as manager,
    ):
        manager.create_job("a picture", {"sweep_type": "balanced", **sweep}, job_id=job_id)
        manager.run_job(job_id)
        drawn = manager.plot(job_id, kind, keep=False, x=x)
        return drawn.png if name.endswith(".png") else drawn.svg.encode()
