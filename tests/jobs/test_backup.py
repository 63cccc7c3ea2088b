"""Copies of the whole store, and the places where a store may not lie."""

import os
import sqlite3

import pytest

from bilancio.errors import InvalidInput, StoreUnavailable
from bilancio.jobs import AsyncJobManager, JobStatus
from bilancio.jobs.store.sqlite import mounts
from bilancio.jobs.store.sqlite.mounts import Mount, mount_of, network_mount


async def table_of(manager, job_id):
    return await manager.runs(job_id, limit=1000)


async def test_a_backup_opens_as_a_store_with_everything_in_it(manager, small, tmp_path):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    copy = await manager.backup(tmp_path / "copy.db")
    async with AsyncJobManager(str(copy)) as other:
        assert (await other.exact(job.job_id)).status is JobStatus.COMPLETED
        assert await table_of(other, job.job_id) == await table_of(manager, job.job_id)
        assert await other.events(job.job_id) == await manager.events(job.job_id)


async def test_a_backup_holds_what_was_stored_when_it_was_made(manager, small, tmp_path):
    await manager.create_job("before", small, job_id="before-it")
    copy = await manager.backup(tmp_path / "copy.db")
    await manager.create_job("after", small, job_id="after-it")
    async with AsyncJobManager(str(copy), out_dir=tmp_path / "none") as other:
        assert [job.job_id for job in (await other.list_jobs()).jobs] == ["before-it"]


async def test_a_backup_is_one_file(manager, small, tmp_path):
    await manager.create_job("try", small)
    (tmp_path / "backups").mkdir()
    await manager.backup(tmp_path / "backups" / "copy.db")
    assert [each.name for each in (tmp_path / "backups").iterdir()] == ["copy.db"]


async def test_a_file_that_exists_is_not_overwritten(manager, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear reader")
    with pytest.raises(InvalidInput, match="allowed: a file that does not exist yet"):
        await manager.backup(tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text() == "Dear reader"


async def test_a_backup_that_cannot_be_written_leaves_nothing(manager, tmp_path):
    with pytest.raises(InvalidInput, match=r"cannot be written \(No such file"):
        await manager.backup(tmp_path / "nowhere" / "copy.db")
    assert not (tmp_path / "nowhere").exists()


async def test_a_backup_that_breaks_off_leaves_nothing(manager, tmp_path, monkeypatch):
    database = (await manager.store()).database

    async def full(target):
        target.write_bytes(b"half")
        raise StoreUnavailable(str(target), "the disk is full. Make room and try again.")

    monkeypatch.setattr(database, "backup", full)
    (tmp_path / "backups").mkdir()
    with pytest.raises(InvalidInput, match="the disk is full"):
        await manager.backup(tmp_path / "backups" / "copy.db")
    assert list((tmp_path / "backups").iterdir()) == []


async def test_a_name_taken_while_the_copy_was_made_is_not_overwritten(
    manager, tmp_path, monkeypatch
):
    database = (await manager.store()).database
    target = tmp_path / "copy.db"
    copied = database.backup

    async def slow(partial):
        await copied(partial)
        target.write_text("mine")

    monkeypatch.setattr(database, "backup", slow)
    with pytest.raises(InvalidInput, match="a file that does not exist yet"):
        await manager.backup(target)
    assert target.read_text() == "mine"


async def test_the_copy_of_a_copy_is_sound(manager, small, tmp_path):
    await manager.create_job("try", small)
    first = await manager.backup(tmp_path / "first.db")
    async with AsyncJobManager(str(first)) as other:
        second = await other.backup(tmp_path / "second.db")
    with sqlite3.connect(second) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


TABLE = [
    Mount("/", "ext4"), Mount("/mnt/team", "nfs4"), Mount("/mnt/team/local", "xfs"),
    Mount("/mnt/c", "9p"), Mount("/mnt/share", "CIFS"), Mount("/home", "overlay"),
    Mount("/mnt/ssh", "fuse.sshfs"), Mount("/mnt/ssh", "ext4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "point"),
    [
        ("/mnt/team/store/bilancio.db", "/mnt/team"), ("/mnt/share/bilancio.db", "/mnt/share"),
        ("/mnt/team/local/bilancio.db", None), ("/mnt/teams/bilancio.db", None),
        ("/mnt/c/bilancio.db", None), ("/home/me/bilancio.db", None), ("/bilancio.db", None),
        ("/mnt/ssh/covered.db", None),
    ],
)  # fmt: skip
def test_only_network_file_systems_are_told_apart(tmp_path, path, point):
    found = network_mount(tmp_path.__class__(path), TABLE)
    assert (found and found.point) == point


def test_a_link_is_followed_to_where_the_store_lies(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    table = [Mount("/", "ext4"), Mount(str((tmp_path / "there").resolve()), "nfs")]
    assert mount_of(tmp_path / "link" / "bilancio.db", table).kind == "nfs"


async def test_a_store_on_a_network_file_system_is_refused(manager, tmp_path, monkeypatch):
    table = [Mount("/", "ext4"), Mount(str(tmp_path.resolve()), "nfs4")]
    monkeypatch.setattr(mounts, "mounted", lambda: table)
    with pytest.raises(StoreUnavailable, match=r"network file system \(nfs4 at .*disk of this"):
        await manager.list_jobs()
    assert not (tmp_path / "store").exists()


def test_this_machine_says_what_is_mounted():
    assert mount_of(mounts.MOUNTS, mounts.mounted()) is not None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "allowed: a path"),
        ("a\0b", "without NUL"),
        ("\ud800", "Unicode"),
        ("x" * 300, "File name too long"),
        ("~nosuchuser/copy.db", "no such user"),
        ("/dev/full", "a file that does not exist yet"),
    ],
)
async def test_a_name_that_cannot_be_one_is_refused_in_a_sentence(manager, tmp_path, name, said):
    with pytest.raises(InvalidInput, match=said):
        await manager.backup(name if name[:1] in "~/" else f"{tmp_path}/{name}" if name else name)
    assert list(tmp_path.glob("*.db*")) == []


@pytest.mark.parametrize("kind", ["folder", "FIFO", "link to nothing"])
async def test_a_backup_takes_the_place_of_nothing(manager, tmp_path, kind):
    target = tmp_path / "copy.db"
    {
        "folder": target.mkdir,
        "FIFO": lambda: os.mkfifo(target),
        "link to nothing": lambda: target.symlink_to(tmp_path / "nothing"),
    }[kind]()
    before = os.lstat(target)
    with pytest.raises(InvalidInput, match="a file that does not exist yet"):
        await manager.backup(target)
    assert os.path.samestat(os.lstat(target), before)
    assert not (tmp_path / "nothing").exists()


async def test_a_backup_beside_a_working_folder_that_is_gone_is_refused(
    manager, tmp_path, monkeypatch
):
    await manager.store()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(InvalidInput, match="working folder"):
        await manager.backup("copy.db")
    assert (await manager.backup(tmp_path / "copy.db")).exists()
