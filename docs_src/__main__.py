"""`uv run python -m docs_src` writes the pages and pictures of docs/ that the code makes."""

from pathlib import Path

from docs_src import commands, files, glossary
from docs_src.pictures import PICTURES, draw

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"commands.md": commands.page, "glossary.md": glossary.page, "files.md": files.page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    for name in PICTURES:
        (DOCS / "images" / name).write_bytes(draw(name))
