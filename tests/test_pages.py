"""The pages: what their blocks show is run, and prints what stands there."""

import contextlib
import io
import json
import os
import re
import secrets
import shlex
import shutil
import sys
import tarfile
import tomllib
from pathlib import Path

import httpx2
import pytest
import typer
from docs_src.pictures import PICTURES, draw
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from PIL import Image, ImageChops, ImageStat
from standardwebhooks.webhooks import Webhook

from bilancio.cli.main import app, run
from bilancio.cli.serve import PORT
from bilancio.jobs import JobManager
from bilancio_mcp.server import build_server
from tests.cli.conftest import started
from tests.notify.receivers import MailServer, WebServer, serving, target
from tests.own_project import copy_example, working_in, write
from tests.pages import DOCS, NAME, PROGRAM, ROOT, RUN, Reader, blocks, excuse
from tests.postgres import PASSWORD, Server, binaries, skip_or_fail
from tests.server.talk import data, over_stdio
from tests.test_install import PROJECT, UV, Machine, said
from tests.web.conftest import Command

#: What no test can run or read, by how it begins, and why.
NOT_RUN = {
    "bilancio bench…": "measures for minutes; test_bench.py measures little",
    "npx @modelcontextprotocol/inspector…": "a page for a person; test_inspector.py drives it",
    "claude mcp add…": "the client and its account are not here",
    "uv run pytest…": "the suite that this is a part of; test_docs.py looks for the files",
    "uv run ruff check…": "a part of the gate",
    "sbatch…": "SLURM is not here; what it carries out is run",
    "bilancio sweep balanced --kappas 0.25:4:0.05 --n-replicates 50000 --cloud": (
        "Modal is not here; test_modal.py has its client compute elsewhere"
    ),
}
#: Blocks that the tests below run.
READ = set()


def reads(page, section="", without=(), kinds=RUN):
    """Have a test read the blocks of a page, or of a section of it: it leaves none of them out."""
    part = [
        each
        for each in blocks(page, section, without)
        if each.kind in kinds or each.kind not in RUN
    ]
    READ.update(part)
    return pytest.mark.parametrize("reader", [part], ids=[section or page], indirect=True)


def page_text(name):
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture
def reader(request, isolated, capsys, monkeypatch):
    """One who does what the blocks show that the test `reads`; all of it, in a new home."""
    (isolated / "home").mkdir()
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("BILANCIO_OUT_DIR")
    reader = Reader(request.param, monkeypatch, capsys, NOT_RUN)
    yield reader
    assert [str(each) for each in reader.left] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A new machine that finds the packages of this clone, as if an index had them."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.environment["UV_FIND_LINKS"] = str(machine.built)
    return machine


@pytest.fixture
def machine(built, reader, isolated, monkeypatch):
    """That machine, whose user has installed nothing; commands are what she installs."""
    reader.installed = True
    mine = {
        "UV_TOOL_DIR": str(isolated / "tools"),
        "UV_TOOL_BIN_DIR": str(isolated / "programs"),
        "PATH": f"{isolated / 'programs'}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
    }
    for name, value in (built.environment | mine).items():
        monkeypatch.setenv(name, value)
    return built


@pytest.fixture
def desktop(isolated, monkeypatch):
    """A program that opens files as a desktop's does: it writes down which."""
    opener, opened = isolated / "bin" / "xdg-open", isolated / "opened"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" >> "{opened}"\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}{os.pathsep}{os.environ['PATH']}")
    return opened


def wheel_of(version, machine):
    """Return a folder with a wheel of this clone under another version."""
    with tarfile.open(machine.sdist) as files:
        files.extractall(machine.folder / "older", filter="data")
    [root] = (machine.folder / "older").iterdir()
    project = root / "pyproject.toml"
    written = project.read_text().replace(
        f'version = "{PROJECT["version"]}"', f'version = "{version}"'
    )
    project.write_text(written)
    built = machine.folder / "older-wheels"
    said(UV, "build", "--quiet", "--wheel", "--out-dir", built, root, env=machine.environment)
    return built


def programs_or_skip():
    """Return the folder of PostgreSQL's programs."""
    programs = binaries()
    if programs is None or shutil.which("setpriv") is None:
        skip_or_fail("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    return programs


def test_each_block_is_run_or_it_is_said_why_not():
    every = [block for file in DOCS.glob("*.md") for block in blocks(file.name)]
    steps = [(block, text) for block in every if block.kind in RUN for text, _ in block.steps()]
    read = {text for block, text in steps if block in READ}
    unread = [(str(block), text) for block, text in steps if text not in read]
    assert [each for each in unread if excuse(each[1], NOT_RUN) is None] == []
    assert {excuse(text, NOT_RUN) for _, text in steps} >= {*NOT_RUN}


def stories(page):
    """Return the commands of a page, those about the same jobs together, with what they show."""
    found = []
    for block in blocks(page):
        if block.kind != "console":
            continue
        READ.add(block)
        for command, shown in block.steps():
            words = [word.lower().replace(" ", "-") for word in shlex.split(command)]
            jobs = {word for word in words if NAME.fullmatch(word)}
            same = [story for story in found if story[0] & jobs]
            found = [story for story in found if story not in same]
            before = [each for story in same for each in story[1]]
            found.append((jobs.union(*(story[0] for story in same)), [*before, (command, shown)]))
    return [story for _, story in found]


BRIGHT, QUIET = "bright-ocean-swift-tiger", "quiet-meadow-golden-hawk"
NAMES = ("study.md", "statistics.md", "start.md", "words.md")
STORIES = [story for name in NAMES for story in stories(name)]
READ.update(block for block in blocks("study.md") if block.kind == "python")
READ.update(blocks("claude.md"))
# A part of each file of an example, whose own tests test_examples.py runs.
READ.update(blocks("own-simulation.md", "A package with tests"))


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=[story[0][0][:60] for story in STORIES])
def test_each_command_of_a_page_prints_what_it_shows(story, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for command, shown in story:
        code = run(shlex.split(command)[1:])
        said = capsys.readouterr()
        assert code == 0, (command, said)
        printed = [line.rstrip() for line in said.out.splitlines()]
        assert [line for line in shown if line not in printed] == [], command
        order = iter(printed)
        assert all(line in order for line in shown), command
    if story is STORIES[0]:
        check_programs(blocks("study.md"), capsys)


def check_programs(page, capsys):
    """Run the Python that a page shows, in one go; it prints what stands below each part."""
    names: dict = {}
    for block, below in zip(page, [*page[1:], None], strict=True):
        if block.kind == "python":
            exec(compile(block.text, str(block), "exec"), names)
            heard = [line.rstrip() for line in capsys.readouterr().out.strip().splitlines()]
            shows = below is not None and below.kind in {"", "text"}
            assert heard == (below.text.strip().splitlines() if shows else []), str(block)


@pytest.mark.slow
async def test_the_tools_answer_as_the_page_on_claude_code_shows():
    page = (DOCS / "claude.md").read_text(encoding="utf-8")
    calls = re.findall(r"`(\w+)`\n\n```json\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL)
    told, name = NAME.search(calls[0][2])[0], None
    async with Client(build_server()) as client:
        for tool, arguments, shown in calls:
            asked = json.loads(arguments)
            if name:
                words = len(re.split(r"[ -]", asked["job_id"]))
                asked["job_id"] = "-".join(name.split("-")[:words])
            result = await client.call_tool(tool, asked)
            said = result.structured_content or {}
            name = name or said["job_id"]
            heard = said.get("summary") or result.content[-1].text
            for line in shown.strip().splitlines():
                assert line.replace(told, name) in heard, (tool, heard)
    assert [tool for tool, _, _ in calls][:2] == ["create_job", "start_sweep"]
    assert len(calls) == len([each for each in blocks("claude.md") if each.kind in RUN]) == 7


@reads("presets.md")
@pytest.mark.slow
def test_the_page_on_presets(reader):
    reader.follow()
    assert "bilancio" in (Path.home() / ".bashrc").read_text()


@reads("python.md")
@pytest.mark.slow
def test_the_page_on_python(reader, capsys):
    job = {"sweep_type": "balanced", "kappas": ["0.25", "1"], "n_replicates": 10}
    with JobManager() as manager:
        reader.job = manager.run_job(manager.create_job("a table", job).job_id).job_id
    reader.follow()
    check_programs(reader.take_all("python"), capsys)


@reads("pictures.md")
@pytest.mark.slow
def test_the_page_on_pictures(reader, desktop):
    reader.do("bilancio sweep balanced --kappas 0.25,1 --mus 0,1 --n-replicates 10")
    reader.follow()
    figures = Path("out/experiments", reader.job, "figures")
    assert {file.suffix for file in figures.iterdir()} == {".png", ".svg"}
    assert Path(desktop.read_text().strip()).parent.resolve() == figures.resolve()


@reads("reports.md")
@pytest.mark.slow
def test_the_page_on_reports(reader, desktop):
    reader.do(
        "bilancio sweep balanced --job-id bright-ocean-swift-tiger"
        " --kappas 0.25,0.5,1,2 --mus 0,0.5 --n-replicates 20"
    )
    reader.follow()
    assert Path(desktop.read_text().strip()).name == "report.html"


@contextlib.contextmanager
def served(*words):
    """Start the page as a command shows, but at a free port."""
    process = started(*words, *(() if "--port" in words else ("--port", "0")))
    try:
        yield Command(process)
    finally:
        process.kill()
        process.communicate()


@reads("page.md")
@pytest.mark.slow
async def test_the_page_on_jobs_in_a_browser(reader, monkeypatch):
    block = reader.take("console")
    [(command, [shown])] = block.steps()
    with served(*shlex.split(command)[1:]) as page:
        address, _, token = page.address.partition("?token=")
        assert (address, token != "") == (f"http://127.0.0.1:{page.port}/", True)
        assert shown == f"http://127.0.0.1:{PORT}/?token=…"
        assert page.client.ask("GET", f"/?token={token}").status == 303

    monkeypatch.setenv("BILANCIO_TOKEN", "of-the-lab-0123456789")
    [server] = json.loads(reader.take("json").text)["mcpServers"].values()
    assert server["type"] == "http"
    headers = {name: os.path.expandvars(value) for name, value in server["headers"].items()}
    with served("serve", "--mcp", "--name", "lab.example") as page:
        url = server["url"].replace("https://lab.example", page.client.origin)
        async with (
            httpx2.AsyncClient(headers=headers | {"host": "lab.example"}, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert data(await client.call_tool("list_jobs", {}))["total"] == 0


@reads("notices.md")
@pytest.mark.slow
def test_the_page_on_notices(reader, monkeypatch):
    monkeypatch.setenv("BILANCIO_NOTIFY_ALLOW_PRIVATE", "1")
    with serving(WebServer()) as web, serving(MailServer(host="localhost")) as mail:
        reader.here = {
            "https://hooks.example": f"http://127.0.0.1:{web.port}",
            "relay.example:25": f"localhost:{mail.port}",
            "hooks.example": "127.0.0.1",
            "relay.example": "localhost",
        }
        reader.follow()
        for _ in range(2):  # the test, and the job
            web.next_id()
            mail.wait_for_one()
    [_, got] = web.received
    told = Webhook(os.environ["BILANCIO_NOTIFY_SECRET"]).verify(got.body, got.headers)
    shown = reader.shown("runs in").splitlines()
    heard = re.sub(r" in (.*)\.", " in 1 s.", told["data"]["text"], count=1)
    assert heard.splitlines() == shown
    assert got.path == "/bilancio"
    assert {*told["data"]} >= {
        name for name in re.findall(r"`(\w+)`", page_text("notices.md")) if name.endswith("_runs")
    }


@reads("clients.md", "A client of your own")
@pytest.mark.slow
def test_the_page_on_a_client_of_ones_own(reader):
    Path("client.py").write_text(reader.take("python").text)
    shown = reader.shown("The average")
    assert reader.do(f"{sys.executable} client.py").strip() == shown.strip()


@reads("clients.md", without=["A client of your own"])
@pytest.mark.slow
async def test_the_page_on_clients(reader, built):
    """Each configuration is read as a client does, and what it names is started."""
    reader.follow()
    allowed = json.loads(reader.take("json", '"permissions"').text)["permissions"]["allow"]
    configured = [
        (json if block.kind == "json" else tomllib).loads(block.text) for block in [*reader.left]
    ]
    reader.left.clear()
    assert [*map(list, configured)] == [["servers"], ["mcpServers"], ["mcp_servers"]]
    servers = [each["bilancio"] for table in configured for each in table.values()]
    for command in {(each["command"], *each["args"]) for each in servers}:
        async with Client(over_stdio([*command], **built.environment)) as client:
            tools = (await client.list_tools()).tools
            assert data(await client.call_tool("list_jobs", {}))["total"] == 0
    reading = {tool.name for tool in tools if tool.annotations.read_only_hint}
    assert {rule.removeprefix("mcp__plugin_bilancio_bilancio__") for rule in allowed} == reading


@reads("start.md", kinds={"bash"})
@pytest.mark.slow
def test_the_first_command_of_the_first_page(reader, machine, isolated):
    elsewhere = Path.cwd()
    reader.do(f"cd {ROOT}")
    reader.follow()
    reader.do(f"cd {elsewhere}")
    assert reader.do("command -v bilancio") == f"{isolated / 'programs' / 'bilancio'}\n"
    assert reader.do("bilancio --version") == f"bilancio {PROJECT['version']}\n"


@reads("upgrading.md")
@pytest.mark.slow
@pytest.mark.nightly
def test_the_page_on_upgrading(reader, machine, monkeypatch):
    """An older version, its store beside it, becomes this one by the commands of the page."""
    shutil.copytree(ROOT / "tests" / "assets" / "0.1", "older")
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(Path("older", "store.db").resolve()))
    monkeypatch.setenv("UV_FIND_LINKS", str(wheel_of("0.1", machine)))
    reader.do("uv tool install bilancio")
    assert reader.do("bilancio --version") == "bilancio 0.1\n"
    monkeypatch.setenv("UV_FIND_LINKS", str(machine.built))
    reader.follow()
    assert reader.do("bilancio --version") == f"bilancio {PROJECT['version']}\n"
    expected = json.loads(Path("older", "expected.json").read_text())
    listed = json.loads(reader.do("bilancio jobs list --json"))
    assert {job["job_id"] for job in listed["jobs"]} == {*expected}


OWN = "own-simulation.md"


@reads(OWN, without=["A package with tests", "Many runs in one call", "When runs fail"])
@pytest.mark.slow
def test_the_page_on_a_simulation_of_ones_own(reader, built, isolated, monkeypatch):
    with working_in(isolated / "queue-study", monkeypatch) as folder:
        (folder / "queueing.py").write_text(reader.take("python").text)
        (folder / "pyproject.toml").write_text(reader.take("toml").text.replace("CLONE", str(ROOT)))
        reader.follow()
        command = (UV, "run", "--quiet", "bilancio", "experiments", "show", "queue")
        assert "servers" in said(*command, cwd=folder, env=built.environment)


@pytest.fixture
def failing_queue(isolated, monkeypatch):
    """Return a function that makes a job in which runs fail of the queue that the page shows."""

    def swept(reader):
        [queue] = [each for each in blocks(OWN, "A queue") if each.kind == "python"]
        head, tail = queue.text.split("    draw = ")
        error = '    if rate > 0.8:\n        raise ValueError("no solution")\n'
        write(folder, queueing=f"{head}{error}    draw = {tail}")
        sweep = "bilancio sweep queue --vary rate=0.7,0.9 --customers 5 --n-replicates 2"
        reader.do(f"command {sweep} --job-id calm-river-amber-fox || test $? = 1")
        return "calm-river-amber-fox"

    with working_in(isolated / "study", monkeypatch) as folder:
        yield swept


@reads(OWN, "When runs fail")
@pytest.mark.slow
def test_the_page_on_runs_that_fail(reader, failing_queue):
    reader.job = failing_queue(reader)
    lines = Path("queueing.py").read_text().splitlines()
    [line] = [number for number, line in enumerate(lines, 1) if "raise" in line]
    listed, first = (reader.do(command) for command, _ in reader.take("bash").steps())
    assert f"ValueError: no solution (queueing.py:{line})" in " ".join(listed.split())
    assert "queueing.simulate(seed=42, " in first


@reads(OWN, "Many runs in one call")
@pytest.mark.slow
def test_the_page_on_many_runs_in_one_call(reader):
    Path("ruin.py").write_text(reader.take("python").text)
    reader.installed = True
    reader.do("bilancio experiments check ruin")


@pytest.fixture
def own_address():
    """An address of this machine that no other test has, for servers at their usual ports."""
    return f"127.{secrets.randbelow(253) + 1}.{secrets.randbelow(253) + 1}.7"


@pytest.fixture
def db_example(own_address, isolated, monkeypatch):
    """A server that PostgreSQL's programs find as db.example; its owner is who asks it."""
    programs = programs_or_skip()
    server = Server(programs, own_address)
    with server.connected("postgres") as connection:
        connection.execute("DROP ROLE lab")
        connection.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    passwords = isolated / "home" / ".pgpass"
    passwords.write_text(f"*:*:*:postgres:{PASSWORD}\n*:*:*:guest:{PASSWORD}\n")
    passwords.chmod(0o600)
    for name, value in {
        "PGHOSTADDR": own_address,
        "PGUSER": "postgres",
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }.items():
        monkeypatch.setenv(name, value)
    yield passwords
    server.remove()


@reads("team.md", "One store")
@pytest.mark.slow
def test_the_page_on_one_store_for_a_team(reader, db_example):
    [entry] = re.findall(r"`(db\.example:\S+:)PASSWORD`", page_text("team.md"))
    with db_example.open("a") as passwords:
        passwords.write(f"{entry}{PASSWORD}\n")
    reader.answers["createuser"] = f"{PASSWORD}\n{PASSWORD}\n"
    reader.do("unset BILANCIO_DATABASE_URL")
    reader.do("bilancio sweep ring --n-agents 5 --job-id calm-river-amber-fox --out-dir ~/out")
    reader.follow("Set it up")
    reader.do("bilancio sweep ring --n-agents 5 --job-id bright-ocean-swift-tiger")
    database = os.environ["BILANCIO_DATABASE_URL"]
    reader.answers["psql"] = reader.take("sql").text
    reader.do(f"psql -v ON_ERROR_STOP=1 {database}")
    reader.follow()
    reader.do("cd")  # away from the jobs' folders, which are found, too
    for place, names in {
        "guest@db.example/bilancio": {"calm-river-amber-fox", "bright-ocean-swift-tiger"},
        "lab@db.example/another": {"bright-ocean-swift-tiger"},
    }.items():
        reader.do(f"export BILANCIO_DATABASE_URL=postgresql://{place}")
        listed = json.loads(reader.do("bilancio jobs list --json"))["jobs"]
        assert {job["job_id"] for job in listed} == names


@reads("team.md", "SLURM")
@pytest.mark.slow
def test_the_page_on_slurm(reader):
    reader.here = {"1000": "10"}  # seeds: the page's sweep takes minutes
    [_, (submitted, _)] = reader.page[0].steps()
    reader.follow()
    heard = reader.do(re.search('--wrap "(.*)"', submitted)[1])
    assert "Completed, 1,520 of 1,520 runs." in heard


@reads("team.md", "A Dask cluster")
@pytest.mark.slow
def test_the_page_on_a_dask_cluster(reader, own_address):
    # One Dask worker of eight, and few seeds: the page's sweep takes minutes.
    reader.here = {"10.0.0.1": own_address, "8": "1", "10000": "10"}
    with contextlib.ExitStack() as cluster:
        steps = reader.take("bash", "dask scheduler").steps()
        for (command, _), until in zip(steps, ("Scheduler at:", "Start worker"), strict=True):
            cluster.enter_context(reader.kept_running(command, until))
        reader.follow()
    [job] = json.loads(reader.do("bilancio jobs list --json"))["jobs"]
    assert (job["status"], job["executor"]) == ("completed", "dask")


@reads("team.md", "Modal")
def test_the_page_on_modal(reader):
    reader.follow()


GRID = "--n-agents 10 --kappas 0.25,0.5 --mus 0,0.5 --outside-mid-ratios 1,0.75 --n-replicates 5"
OTHERS = [
    f"bilancio {name}" for name in ("bench", "demo", "experiments", "jobs", "notify", "serve")
]
OTHERS.append("In scripts")


@reads("commands.md", without=OTHERS)
@pytest.mark.slow
@pytest.mark.nightly
def test_examples_of_commands(reader):
    reader.do(f"bilancio sweep balanced {GRID} --job-id {BRIGHT}")
    reader.do(f"bilancio sweep ring --n-agents 5 --no-start --job-id {QUIET}")
    reader.here[f"worker {BRIGHT}"] = f"worker {QUIET}"
    reader.follow()


@reads("commands.md", "bilancio jobs", without=["bilancio jobs copy"])
@pytest.mark.slow
@pytest.mark.nightly
def test_examples_of_commands_about_jobs(reader, desktop):
    for name in (BRIGHT, QUIET):
        reader.do(f"bilancio sweep balanced {GRID} --job-id {name}")
    for verb in ("start", "cancel", "resume"):
        reader.here = {BRIGHT: f"calm-river-amber-{verb}"}
        reader.do(f"bilancio sweep ring --n-agents 5 --no-start --job-id {BRIGHT}")
        if verb == "resume":
            reader.do(f"bilancio jobs cancel {BRIGHT}")
        reader.follow(f"bilancio jobs {verb}")
    reader.here = {}
    [(command, _)] = reader.take("bash", "jobs open").steps()
    with reader.kept_running(command, "http://127.0.0.1:"):
        pass
    [(command, _)] = reader.take("bash", "jobs delete").steps()
    reader.follow()
    assert "is deleted" in reader.do_at_a_terminal(command, "y")


@reads("commands.md", "In scripts")
@pytest.mark.slow
def test_the_page_on_scripts(reader):
    reader.installed = True
    reader.follow()


@reads("commands.md", "bilancio experiments")
@pytest.mark.slow
def test_examples_of_commands_about_experiments(reader):
    shutil.copy(ROOT / "examples" / "queue" / "queueing.py", "my_module.py")
    reader.installed = True
    reader.follow()


@reads("commands.md", "bilancio notify")
@pytest.mark.slow
def test_examples_of_commands_about_notices(reader, monkeypatch):
    with serving(MailServer()) as mail, target(monkeypatch) as web:
        monkeypatch.setenv("BILANCIO_NOTIFY", f"lab={web.url()} mail={mail.url()}")
        reader.follow()
        for _ in range(3):  # two tests, and a job
            web.next_id()


@reads("commands.md", "bilancio serve")
@pytest.mark.slow
def test_examples_of_serving(reader):
    for command, _ in reader.take("bash").steps():
        with served(*shlex.split(command)[1:]) as page:
            assert page.client.get("/").status == 200


#: Calls within sentences that are not made, by how they begin, and why.
NOT_CALLED = {
    "bilancio bench…": NOT_RUN["bilancio bench…"],
    "bilancio jobs open…": "it does not end; opened above, and in tests/web",
    "bilancio jobs package NAME": "made above",
    "bilancio jobs resume NAME --recompute": "needs a clone; tests/jobs/test_recompute.py has one",
    "bilancio serve…": "it does not end; served above, and in tests/web",
    "bilancio sweep ring --config ring_sweep_config.yaml": "tests/cli/test_older_config.py has it",
    "bilancio worker NAME --executor dask": "needs a cluster; tests/jobs/test_dask.py has one",
}


def calls():
    """Return the calls of bilancio within sentences; what only names a command is none."""
    texts = [*DOCS.glob("*.md"), *(ROOT / name for name in ("README.md", "CLAUDE.md"))]
    texts += [*ROOT.glob("skills/*/*.md"), *ROOT.glob("commands/*.md")]
    for text in texts:
        within = re.sub(r"```.*?```", "", text.read_text(encoding="utf-8"), flags=re.DOTALL)
        for shown in re.findall(r"`([^`]+)`", within):
            call = " ".join(shown.split()).removeprefix("uv run ")
            if call.startswith("bilancio ") and not {*call} & {"…", "|"} and is_whole(call):
                yield call


def is_whole(call):
    """Tell whether a call gives what its command requires."""
    command, words = typer.main.get_command(app), shlex.split(call)[1:]
    while words and hasattr(command, "get_command") and (named := words[0]).isalpha():
        command, words = command.get_command(None, named), words[1:]
    if command is None or hasattr(command, "get_command"):
        return False
    return len(words) >= len(
        [each for each in command.params if each.required and each.param_type_name == "argument"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("reader", [()], indirect=True, ids=["prose"])
def test_calls_within_sentences_are_made(reader, isolated, monkeypatch):
    """NAME is a job in the state of which the sentence speaks."""
    ring = "bilancio sweep ring --n-agents 5 --kappas 0.5,1 --mus 0,1 --n-replicates 2"
    waiting = {
        "bilancio jobs resume NAME": "calm-river-amber-one",
        "bilancio worker NAME": "calm-river-amber-two",
    }
    for name in (BRIGHT, QUIET):
        reader.do(f"{ring} --job-id {name}")
    for name in ("dealers-under-stress", *waiting.values()):
        reader.do(f"{ring} --no-start --job-id {name}")
    reader.do("bilancio jobs cancel calm-river-amber-one")
    reader.here = {"MODULE": "queueing", "FOLDER": "elsewhere", "FILE": "copy.db"}
    done = {command for block in READ for command, _ in block.steps()}
    made = {*calls()} - done
    assert {excuse(call, NOT_CALLED) for call in made} == {None, *NOT_CALLED}
    with working_in(isolated / "study", monkeypatch) as folder:
        copy_example("queue", folder)
        for call in sorted(made):
            reader.job = waiting.get(call, BRIGHT)
            if "delete" in call:
                assert "is deleted" in reader.do_at_a_terminal(call, "y")
            elif excuse(call, NOT_CALLED) is None:
                reader.do(call)


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_as_it_is_drawn_today(name):
    if name.endswith(".svg"):
        kept, drawn = (DOCS / "images" / name).read_bytes(), draw(name)
        words = re.compile(rb"aria-label=\"([^\"]+)|<text [^>]*>([^<]+)")
        assert words.findall(kept) == words.findall(drawn)
        return
    kept = Image.open(DOCS / "images" / name).convert("RGB")
    drawn = Image.open(io.BytesIO(draw(name))).convert("RGB")
    assert kept.size == drawn.size
    # Libraries of another version draw edges otherwise.
    assert max(ImageStat.Stat(ImageChops.difference(kept, drawn)).mean) < 3
