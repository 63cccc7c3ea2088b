"""The card: an answer about a job as hosts with MCP Apps show it, beside the model's words.

Its page is the same for all answers and loads nothing; the host hands it what a tool has answered.
Hosts without MCP Apps see answers as ever.
"""

from importlib.resources import files

from mcp.server.apps import Apps

from bilancio.report.style import COLOURS_OF_PAGES, css

URI = "ui://bilancio/card.html"
META = {"ui": {"resourceUri": URI}}
"""What a tool says of itself whose answers the card shows."""


def page() -> str:
    """Return the card: complete, with its own style and script."""
    folder = files(__package__)
    style, script, body = (
        folder.joinpath(name).read_text("utf-8") for name in ("card.css", "card.js", "card.html")
    )
    colours = css("body", COLOURS_OF_PAGES)
    return body.replace("/*style*/", colours + style).replace("/*script*/", script)


def apps() -> Apps:
    """Return the extension that offers the card."""
    made = Apps()
    made.add_html_resource(URI, page(), name="card", title="A job at a glance")
    return made
