"""A job's pictures, in a folder within its own."""

from bilancio.jobs.artifacts.folder import FIGURES, make_folder, whole_binary_file, write_whole
from bilancio.jobs.artifacts.ownership import make_job_folder, mark_of
from bilancio.jobs.models import Job

DARK = "-dark"


def write(job: Job, stem: str, png: bytes, svg: str, *, dark: bool) -> dict[str, str]:
    """Write a picture as PNG and SVG; return the paths by these names.

    Raises
    ------
    OutputError
        They cannot be written, or the folder is not the job's own.
    """
    make_job_folder(job)
    folder = job.folder / FIGURES
    make_folder(folder)
    paths = {"png": folder / f"{stem}{DARK if dark else ''}.png", "svg": folder / f"{stem}.svg"}
    write_whole(paths["svg"], f"{mark_of(job)}\n{svg}", durable=False)
    with whole_binary_file(paths["png"]) as file:
        file.write(png)
    return {kind: str(path) for kind, path in paths.items()}
