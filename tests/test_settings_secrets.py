"""A password in a database address is shown nowhere."""

import pickle

import pytest

from bilancio.errors import BilancioError
from bilancio.jobs import AsyncJobManager
from bilancio.settings import Settings, redact_url
from tests.jobs.store.kit import CONFIG

ADDRESSES = [
    "postgresql://me:hunter2@host/db",
    "postgres://me:hunter2@host:5432/db?sslmode=require",
    "postgresql://me:p@ss/hunter2@host/db",
    "postgresql://me:hunter2%40@[::1]:5432/db",
    "postgresql://:hunter2@host/db",
    "postgresql://host/db?user=me&password=hunter2",
    "postgresql://host/db?sslpassword=hunter2;x=1",
    "postgresql+psycopg://me:hunter2@host/db",
    "mysql://root:hunter2@host/db",
    "mariadb+pymysql://root:hunter2@host",
    "mongodb://a:hunter2@h1,h2/x",
    "POSTGRESQL://me:hunter2@host/db",
    " postgresql://me:hunter2@host/db",
    "postgresql:/me:hunter2@host/db",
    "postgresql:me:hunter2@host/db",
    "postgresql//me:hunter2@host/db",
    "postgresql:///me:hunter2@host/db",
    "postgresql://me:hunter2",
    "postgresql://me:hunter2/db",
    "me:hunter2@host/db",
    "://me:hunter2@host",
    "host=h user=me password=hunter2 dbname=x",
    "host=h password = 'hunter2 x' user=me",
    'sqlite:me?passwd="hunter2"',
    "sqlite://me:hunter2@host/x",
    "sqlite:///x.db?password=hunter2",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_password_is_cut_from_any_address(address):
    shown = redact_url(address)
    assert "hunter2" not in shown
    assert "***" in shown
    assert "hunter2" not in repr(Settings(database_url=address))
    assert "hunter2" not in str(Settings(database_url=address))


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///home/me/a:b@c.db",
        "/home/me/a:b@c.db",
        "~/x.db",
        "./a:b@c.db",
        "store.db",
        "postgresql://host:5432/db",
        "postgresql://me@host/db",
        "postgresql://host/db?sslmode=require",
    ],
)
def test_an_address_without_a_password_is_shown_as_it_is(address):
    assert redact_url(address) == address


@pytest.mark.parametrize("address", [each for each in ADDRESSES if "sqlite:///" not in each])
async def test_no_error_and_no_diagnosis_shows_a_password(address, isolated, monkeypatch):
    monkeypatch.chdir(isolated)
    async with AsyncJobManager(address) as manager:
        assert "hunter2" not in (await manager.doctor()).model_dump_json()
        if "://" in address:
            with pytest.raises(BilancioError) as caught:
                await manager.create_job("try", CONFIG)
            for shown in (str(caught.value), repr(caught.value), str(pickle.dumps(caught.value))):
                assert "hunter2" not in shown


def test_the_settings_hold_the_address_whole_for_the_worker():
    address = ADDRESSES[0]
    assert Settings(database_url=address).model_dump()["database_url"] == address
