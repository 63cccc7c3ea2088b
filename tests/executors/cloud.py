"""Fixtures: a server of our own in Modal's place, and a token that it knows."""

import pytest


@pytest.fixture(scope="module")
def _modal(tmp_path_factory):
    from tests.executors.modal_server import ModalServer  # loads Modal's protocol

    server = ModalServer(tmp_path_factory.mktemp("modal"))
    yield server.servicer
    server.end()
    assert server.servicer.unknown == []


@pytest.fixture
def modal_server(_modal, monkeypatch):
    """What the server has been asked for; Modal's client talks to it in this test."""
    monkeypatch.setenv("MODAL_SERVER_URL", _modal.url)
    monkeypatch.setenv("BILANCIO_MODAL_CONTAINERS", "2")
    return _modal


@pytest.fixture
def modal_token(monkeypatch):
    from tests.executors.modal_server import TOKEN  # as above

    monkeypatch.setenv("MODAL_TOKEN_ID", TOKEN[0])
    monkeypatch.setenv("MODAL_TOKEN_SECRET", TOKEN[1])
