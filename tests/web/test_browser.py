"""The page in Chromium: in light, dark, narrow, on paper, without JavaScript, by keyboard only."""

import contextlib
import io
import re

import pytest

from bilancio.jobs import JobManager
from bilancio.report.style import contrast
from tests.chromium import axe
from tests.night import nightly
from tests.report.reported import balanced, hostile, ran
from tests.web.conftest import PATIENCE_S, serving_app

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

DONE = "bright-ocean-swift-tiger"
HOSTILE = "swift-quiet-bright-river"
WAITING = "quiet-meadow-golden-hawk"
OTHER = "forest-hawk-river-golden"
LIVE = "castle-river-mountain-forest"
RING = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5"], "n_replicates": 40}
PATIENCE_MS = PATIENCE_S * 1000
LETTERS = "\U0001f3f3\ufe0f\u200d\U0001f308 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """A page over jobs of each kind, and a manager of them, for all tests of this module."""
    folder = tmp_path_factory.mktemp("looked-at")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{folder / 'bilancio.db'}")
        patch.setenv("BILANCIO_OUT_DIR", str(folder / "out"))
        with JobManager() as manager, serving_app() as site:
            assert balanced(manager, folder, patch) == DONE
            assert hostile(manager, folder, patch) == HOSTILE
            manager.create_job(f"{LETTERS} {'W' * 200}", RING, job_id=WAITING, tags=["t" * 100])
            ran(manager, OTHER, RING)
            manager.create_job("By hand.", RING, job_id=LIVE)
            manager.start_job(LIVE)
            site.get(f"/jobs/{DONE}")  # draws its pictures
            yield site, manager


@pytest.fixture
def site(stocked):
    return stocked[0]


@pytest.fixture
def manager(stocked):
    return stocked[1]


class Seen:
    """A browser's page, and what goes wrong on it: errors, dialogs, requests to elsewhere."""

    def __init__(self, page, site):
        self.page, self.site, self.wrong = page, site, []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: self._note(message.text))
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("dialog", lambda dialog: self._note(f"dialog {dialog.message}"))
        page.on("request", self._asked)

    def _note(self, text):
        if not re.search(r"status of 4\d\d", text):  # the page itself, which says why
            self.wrong.append(text)

    def _asked(self, request):
        if not request.url.startswith((f"{self.site.origin}/", "data:,")):
            self.wrong.append(f"asked {request.url}")

    def goto(self, path):
        self.page.goto(f"{self.site.origin}{path}", wait_until="load")
        return self.page


@contextlib.contextmanager
def looking(browser, site, *, width=1280, scheme="light", **options):
    """Log a browser in by the address that is printed; give what it sees."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **options
    )
    seen = Seen(context.new_page(), site)
    seen.goto(f"/?token={site.token}")
    assert site.token not in seen.page.url
    yield seen
    context.close()


def pages():
    """Return the addresses of all kinds of pages there are."""
    return [
        "/", "/?text=nothing+like+it&since=last+week", f"/jobs/{DONE}",
        f"/jobs/{DONE}?by=kappa&by=mu", f"/jobs/{DONE}?where=kappa+%3D", f"/jobs/{DONE}/events",
        f"/jobs/{DONE}/configuration", f"/jobs/{DONE}/runs", f"/jobs/{DONE}/runs/0",
        f"/compare?job={OTHER}&job={HOSTILE}", f"/compare?job={DONE}", f"/jobs/{HOSTILE}",
        f"/jobs/{HOSTILE}/edit", f"/jobs/{HOSTILE}/configuration", f"/jobs/{HOSTILE}/delete",
        f"/jobs/{DONE}/extend", f"/jobs/{LIVE}", f"/jobs/{LIVE}/cancel", f"/jobs/{WAITING}",
        f"/jobs/{WAITING}/start", "/jobs/no-such-job-here", "/jobs/bright-oshen", "/none",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "scheme", "checked"),
    [(1280, "light", "{}"), (390, "dark", "{runOnly: ['color-contrast']}"), (320, "light", "")],
)
def test_every_page_is_whole_in_every_mode_and_keeps_nobody_out(
    browser, site, width, scheme, checked
):
    script = axe() if checked else ""
    with looking(browser, site, width=width, scheme=scheme) as seen:
        for path in pages():
            page = seen.goto(path)
            assert page.locator("h1").count() == 1, path
            assert page.locator("main").count() == 1, path
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, wide, wider(page))
            assert page.evaluate("document.compatMode") == "CSS1Compat", path
            if checked:
                page.evaluate(f"{script};0")
                found = page.evaluate(f"axe.run({checked})")["violations"]
                assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
            assert seen.wrong == [], path


def wider(page):
    """Return what stands out of the window, to be found in a message."""
    return page.evaluate(
        """[...document.querySelectorAll("body *")].filter(
        (each) => each.getBoundingClientRect().right > innerWidth && !each.closest(".scroll"))
        .slice(0, 3).map((each) => each.outerHTML.slice(0, 120))"""
    )


@pytest.mark.parametrize("scheme", ["dark", *nightly("light")])
def test_texts_of_pictures_stand_out_by_their_pixels(browser, site, scheme):
    from PIL import Image  # as the page's own pictures need it

    with looking(browser, site, scheme=scheme, device_scale_factor=2) as seen:
        page = seen.goto(f"/jobs/{DONE}")
        boxes = page.evaluate(
            """[...document.querySelectorAll("svg text")].map((each) => {
            const box = each.getBoundingClientRect();
            return [box.x + scrollX, box.y + scrollY, box.width, box.height, each.textContent];
            }).filter((box) => box[2] && box[3])"""
        )
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    assert len(boxes) > 20
    faint = {}
    for x, y, width, height, text in boxes:
        corners = (2 * x - 2, 2 * y - 2, 2 * (x + width) + 2, 2 * (y + height) + 2)
        colours = [
            (count, "#{:02x}{:02x}{:02x}".format(*each))
            for count, each in shot.crop(tuple(map(int, corners))).getcolors(1 << 24)
        ]
        ground = max(colours)[1]
        best = max(contrast(each, ground) for _, each in colours)
        if best < 4.5:
            faint[text] = round(best, 2)
    assert faint == {}


def test_texts_of_jobs_stay_texts(browser, site):
    with looking(browser, site) as seen:
        for path in ("/", f"/jobs/{HOSTILE}", f"/jobs/{HOSTILE}/edit", f"/jobs/{HOSTILE}/events"):
            page = seen.goto(path)
            assert page.locator("img, b, script:not([src])").count() == 0, path
        page = seen.goto(f"/jobs/{HOSTILE}")
        shown = page.locator(".description").inner_text()
        assert "<script>alert('x')</script><img src=x onerror=alert(1)> \\u202eevil" in shown
        assert page.title().startswith(HOSTILE)
        assert seen.wrong == []


def test_without_javascript_pages_are_whole_and_forms_work(browser, site):
    with looking(browser, site, java_script_enabled=False) as seen:
        page = seen.goto(f"/jobs/{DONE}")
        assert page.locator("svg").count() >= 3
        assert page.locator("table").count() >= 2
        page.get_by_label("kappa").check()
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**by=kappa**")
        seen.goto("/")
        page.get_by_label("Name or words").fill("hand")
        page.get_by_role("button", name="Search").click()
        page.wait_for_url("**text=hand**")
        assert page.locator(".cards a.name").all_inner_texts() == [LIVE]
        seen.goto(f"/jobs/{WAITING}/edit")
        page.get_by_label("Notes").fill("Kept.")
        page.get_by_role("button", name="Save").click()
        page.wait_for_url(f"{site.origin}/jobs/{WAITING}")
        assert page.locator(".notes").inner_text() == "Kept."


def test_it_is_light_on_paper(browser, site):
    with looking(browser, site, scheme="dark") as seen:
        page = seen.goto(f"/jobs/{DONE}/configuration")
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details:not([open])").count() == 0
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        for hidden in (".bar", ".tabs", ".actions", "footer"):
            assert not page.locator(hidden).first.is_visible(), hidden


def test_a_job_is_followed_without_loading_its_page_again(browser, site, manager):
    with looking(browser, site) as seen:
        job = manager.create_job("Followed.", RING, job_id="tiger-swift-ocean-bright")
        manager.start_job(job.job_id)
        page = seen.goto(f"/jobs/{job.job_id}")
        page.evaluate("window.unloaded = false")
        page.locator("[data-live=recorded]", has_text=re.compile(r"^0 of")).wait_for()
        manager.record_progress(job.job_id, "run-1", {"delta_total": 0.5})
        page.locator("[data-live=recorded]", has_text=re.compile(r"^1 of")).wait_for()
        assert page.locator("#announced").inner_text() == ""  # progress is not said aloud
        page.get_by_role("link", name="Edit").focus()
        manager.complete_job(job.job_id, {"avg": 0.5})
        page.locator(".badge.completed").wait_for()
        page.locator("#announced", has_text=re.compile("Completed")).wait_for(state="attached")
        page.locator(".actions a", has_text="Cancel").wait_for(state="detached")
        assert page.evaluate("window.unloaded") is False
        assert page.evaluate("document.activeElement.textContent") == "Edit"
        assert seen.wrong == []


def test_the_list_of_jobs_is_live_too(browser, site, manager):
    with looking(browser, site) as seen:
        card = seen.goto("/").locator(f"[data-job={LIVE}]")
        card.locator("[data-live=counts]").wait_for()
        manager.record_progress(LIVE, "run-1", {"delta_total": 0.5})
        card.locator("[data-live=counts]", has_text="1 of").wait_for()
        assert seen.wrong == []


def test_tables_that_are_loaded_again_can_be_sorted(browser, site):
    with looking(browser, site) as seen:
        page = seen.goto(f"/jobs/{DONE}")
        page.evaluate(
            """async () => {
            const text = await (await fetch(location.href)).text();
            const fresh = new DOMParser().parseFromString(text, "text/html");
            const main = document.adoptNode(fresh.querySelector("main"));
            document.querySelector("main").replaceWith(main);
            document.dispatchEvent(new Event("renewed"));
            }"""
        )
        page.locator("table.sortable thead button").first.click()
        assert page.locator("th[aria-sort] button").count() == 1


def test_the_keyboard_is_enough(browser, site):
    with looking(browser, site) as seen:
        page = seen.goto("/")
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert focused.inner_text() == "Skip to the content"
        assert focused.bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        names = []
        for _ in range(40):
            page.keyboard.press("Tab")
            seen_as = page.evaluate(
                """(() => { const style = getComputedStyle(document.activeElement);
                return [document.activeElement.textContent, style.outlineStyle,
                    parseFloat(style.outlineWidth)]; })()"""
            )
            assert seen_as[1] != "none", seen_as
            assert seen_as[2] >= 2, seen_as
            names.append(seen_as[0])
            if names[-1] == WAITING:
                break
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/jobs/{WAITING}")
        page.get_by_role("link", name="Edit").press("Enter")
        page.wait_for_url("**/edit")
        page.get_by_label("Tags").press("Control+a")
        page.keyboard.type("typed")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/jobs/{WAITING}")
        assert page.locator(".tags").inner_text() == "typed"
