"""Fixtures: a server of our own in Modal's place, and a token that it knows."""

import os

import pytest


@pytest.fixture(scope="module")
def _modal(tmp_path_factory):
    from tests.executors.modal_server import ModalServer  # loads Modal's protocol

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    roots = shared / "containers"  # so that Python compiles what is in them once
    roots.mkdir(exist_ok=True)
    server = ModalServer(tmp_path_factory.mktemp("modal"), roots)
    yield server.servicer
    server.end()
    assert server.servicer.unknown == []


@pytest.fixture
def modal_server(_modal, monkeypatch):
    """What the server has been asked for; Modal's client talks to it in this test."""
    monkeypatch.setenv("MODAL_SERVER_URL", _modal.url)
    monkeypatch.setenv("BILANCIO_MODAL_CONTAINERS", "2")
    yield _modal
    for app in list(_modal.apps):  # whose worker was killed; Modal misses its signs of life
        _modal.end_app(app)


@pytest.fixture
def modal_token(monkeypatch):
    from tests.executors.modal_server import TOKEN  # as above

    monkeypatch.setenv("MODAL_TOKEN_ID", TOKEN[0])
    monkeypatch.setenv("MODAL_TOKEN_SECRET", TOKEN[1])
