"""The card of a job in a host of MCP Apps, by the extension's own library, in Chromium."""

import contextlib
import subprocess

import pytest
from mcp import Client
from playwright.async_api import async_playwright

from bilancio.jobs import AsyncJobManager
from bilancio_mcp import card
from bilancio_mcp.server import build_server
from tests.chromium import FLAGS, axe, chromium
from tests.server.programs import PROGRAMS, environment, program
from tests.server.talk import ROOT, completed, created

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

# What a host allows a card that declares no outside addresses.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """The host's script, in one file."""
    file = tmp_path_factory.mktemp("host") / "host.js"
    modules = {**environment(), "NODE_PATH": str(PROGRAMS.parent)}
    words = ["--bundle", "--format=esm", "--log-level=error", f"--outfile={file}"]
    source = str(ROOT / "tests/server/host.js")
    subprocess.run([program("esbuild"), source, *words], check=True, env=modules)
    return file.read_text("utf-8")


@contextlib.asynccontextmanager
async def shown(client, script, theme="light"):
    """Open the host; yield its page, the card in it, and what goes wrong."""
    [content] = (await client.read_resource(card.URI)).contents
    assert content.mime_type == "text/html;profile=mcp-app"
    script = script.replace("</script", "<\\/script")
    page_of_host = (
        f'<!doctype html><title>host</title><body data-theme="{theme}">'
        '<iframe sandbox="allow-scripts" title="card" style="width:480px;border:0"></iframe>'
        f'<script type="module">{script}</script>'
    )

    async def call_tool(name, arguments):
        result = await client.call_tool(name, arguments)
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page, wrong = await browser.new_page(), []
        page.on(
            "console",
            lambda said: said.type in {"error", "warning"} and wrong.append(said.text),
        )
        page.on("pageerror", lambda error: wrong.append(error.stack))
        await page.expose_function("callTool", call_tool)
        served = {"https://host.example/": page_of_host, "https://card.example/": content.text}

        async def answer(route):
            headers = {"Content-Security-Policy": POLICY} if "card" in route.request.url else {}
            kind = "text/html; charset=utf-8"
            body = served[route.request.url]
            await route.fulfill(body=body, content_type=kind, headers=headers)

        await page.route("https://*.example/", answer)
        await page.goto("https://host.example/")
        await page.wait_for_function("() => Boolean(window.hand)")
        yield page, page.frame_locator("iframe"), wrong
        await browser.close()


async def handed(page, client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    answer = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    await page.evaluate("([input, result]) => window.hand(input, result)", [arguments, answer])


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_host_shows_results_refusals_and_progress_on_the_card(isolated, host, theme):
    async with Client(build_server()) as client:
        job_id = await completed(client)
        pending = await created(client, description="<script>alert(1)</script>")
        async with shown(client, host, theme) as (page, seen, wrong):
            await handed(page, client, "job_results", job_id=job_id, group_by=["kappa"])
            main = seen.locator("main")
            await main.get_by_text(job_id, exact=True).wait_for()
            assert await seen.locator("tbody tr").count() == 2
            assert await seen.locator("tbody tr").first.inner_text() != ""
            colour = "getComputedStyle(document.body).backgroundColor"
            paper = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[theme]
            assert await main.evaluate(f"() => {colour}") == paper
            frame = page.frames[1]
            await frame.evaluate(axe())
            found = await frame.evaluate("() => axe.run(document)")
            assert [each["id"] for each in found["violations"]] == []
            height = await page.locator("iframe").evaluate("frame => frame.clientHeight")
            assert height >= await main.evaluate("main => main.scrollHeight")
            await handed(page, client, "job_results", job_id="nothing-of-this-name")
            await seen.locator(".warning", has_text="No job").wait_for()
            await handed(page, client, "job_status", job_id=pending)
            await seen.locator("progress").wait_for()
            assert "<script>" in await main.inner_text()
            await page.evaluate("window.end()")
            assert wrong == []


async def test_the_card_follows_a_running_job_by_itself(isolated, host):
    """It asks the host, which asks the server, until the job has ended."""
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await created(client)
        await manager.start_job(job_id)
        async with shown(client, host) as (page, seen, wrong):
            await handed(page, client, "job_status", job_id=job_id)
            await seen.locator(".badge.running").wait_for()
            await manager.complete_job(job_id, {})
            await seen.locator(".badge.completed").wait_for()
            assert wrong == []


def test_the_card_loads_nothing_and_is_small():
    page = card.page()
    assert len(page.encode()) <= 10_000
    assert "//" not in page.replace("// ", "")
