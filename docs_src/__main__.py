"""`uv run python -m docs_src` writes the pages of docs/ that are made from the code."""

from pathlib import Path

from docs_src import commands, files, glossary

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"commands.md": commands.page, "glossary.md": glossary.page, "files.md": files.page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
