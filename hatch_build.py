"""The project's page on a registry: README with links that work there, and the project's addresses.

A registry knows nothing of the files around README. In the repository's workflows links lead to
the files of the version that is built. Elsewhere nobody knows where the repository is: what was a
link becomes its text.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

TO_A_FILE = re.compile(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)\s]+)\)")


class RegistryPage(MetadataHookInterface):
    """What hatchling asks for the metadata that `pyproject.toml` calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add README as a registry shows it, and the project's addresses where they are known."""
        repository = repository_url(os.environ)
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": readme(text, repository, f"v{metadata['version']}"),
        }
        metadata["urls"] = project_urls(repository) if repository else {}


def repository_url(environment: Mapping[str, str]) -> str | None:
    """Return where a workflow's repository is; elsewhere None."""
    server, name = (environment.get(f"GITHUB_{each}") for each in ("SERVER_URL", "REPOSITORY"))
    return f"{server}/{name}" if server and name else None


def readme(text: str, repository: str | None, tag: str) -> str:
    """Return README with links to the files of a tag, or without links to files."""

    def elsewhere(link: re.Match[str]) -> str:
        picture, words, path = link.groups()
        if repository is None:
            return f"*{words}*" if picture else words
        return f"{picture}[{words}]({repository}/{'raw' if picture else 'blob'}/{tag}/{path})"

    return TO_A_FILE.sub(elsewhere, text)


def project_urls(repository: str) -> dict[str, str]:
    """Return the addresses that a registry lists beside the page."""
    return {
        "Source": repository,
        "Documentation": f"{repository}/blob/HEAD/docs/index.md",
        "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
