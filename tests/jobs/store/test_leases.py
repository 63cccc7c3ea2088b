"""A lease runs until the moment stored, whoever looks from wherever."""

import pytest

from bilancio import machine
from bilancio.jobs import AsyncJobManager
from tests.jobs.store.kit import record, rows


@pytest.fixture
async def elsewhere(store, lease, address, clock):
    """A manager that sees a worker of another machine confirm its lease of 30 s."""
    await store.confirm(lease, pid=1, host="another-machine", provenance={}, lease_s=30)
    assert machine.host() != "another-machine"
    async with AsyncJobManager(address, clock=clock) as manager:
        yield manager


async def take_over(store):
    return await store.claim("my-job", "worker-b", lease_s=30, executor="local")


EXTENSIONS = {
    "renew": lambda store, lease: store.renew(lease, 30),
    "record": lambda store, lease: record(store, lease, rows(0, 3)),
    "confirm": lambda store, lease: store.confirm(
        lease, pid=1, host="another-machine", provenance={}, lease_s=30
    ),
}


@pytest.mark.parametrize("extend", EXTENSIONS.values(), ids=EXTENSIONS)
async def test_what_extends_a_lease_is_seen_from_another_machine(
    elsewhere, store, lease, clock, extend
):
    clock.forward(25)
    await extend(store, lease)
    clock.forward(25)
    assert (await elsewhere.exact("my-job")).state == "running"
    assert await take_over(store) is None
    clock.forward(6)
    assert (await elsewhere.exact("my-job")).state == "stalled"
    assert await take_over(store) is not None


KEEPERS = {
    "note_in_flight": lambda store, lease: store.note_in_flight(lease, []),
    "note_speed": lambda store, lease: store.note_speed(lease, speed=1.0),
    "holds": lambda store, lease: store.holds(lease),
}


@pytest.mark.parametrize("keep", KEEPERS.values(), ids=KEEPERS)
async def test_what_does_not_extend_a_lease_leaves_its_end(elsewhere, store, lease, clock, keep):
    clock.forward(25)
    await keep(store, lease)
    clock.forward(6)
    assert (await elsewhere.exact("my-job")).state == "stalled"


async def test_a_lease_is_held_to_its_last_moment_and_not_beyond(store, lease, clock):
    end = (await store.job("my-job")).holder.expires_at
    clock.now = end
    clock.forward(-0.002)
    assert await take_over(store) is None
    clock.now = end
    assert (await take_over(store))[0].fence == lease.fence + 1
