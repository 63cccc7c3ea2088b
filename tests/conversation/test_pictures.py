"""A picture is shown where one is asked for, with a sentence and the paths of its files."""

import struct
from pathlib import Path

import pytest

from tests.conversation.archive import FULL_PRICE, LOW_PRICE, QUEUE, STRESS
from tests.conversation.evidence import effects, mean, read

pytestmark = pytest.mark.slow
WIDEST = 1_000


def size(png):
    return struct.unpack(">II", png[16:24])


@pytest.mark.eras
async def test_default_rate_against_liquidity(talk, desk):
    pairs = effects(read(desk, STRESS))
    async with talk("plot the default rate of bright ocean swift tiger against κ") as chat:
        png, sentence, paths = await chat.picture(job_id=STRESS, kind="default_rate", x="kappa")
    assert max(size(png)) <= WIDEST
    assert [Path(path).suffix for path in paths] == [".png", ".svg"]
    assert Path(paths[0]).read_bytes() == png
    drawn = Path(paths[1]).read_text()
    for word in ("passive", "active", STRESS):
        assert word in drawn
    least, most = ([pair for pair in pairs if pair["kappa"] == kappa] for kappa in (0.25, 2))
    for arm in ("passive", "active"):
        assert f"{arm}: {mean(least, arm):.3f} to {mean(most, arm):.3f}" in sentence


async def test_whatever_suits_a_simulation_of_her_own(talk, desk):
    runs = read(desk, QUEUE)
    async with talk("show me a chart of the queue") as chat:
        png, sentence, _ = await chat.picture(job_id="copper maple walnut pepper")
    assert max(size(png)) <= WIDEST
    slow, busy = (
        mean([run for run in runs if (run["rate"], run["arm"]) == (rate, "two-lines")], "wait")
        - mean([run for run in runs if (run["rate"], run["arm"]) == (rate, "one-line")], "wait")
        for rate in (0.5, 0.9)
    )
    assert sentence == (
        f"Wait difference by rate: {slow:+.2f} (rate 0.5) to {busy:+.2f} (rate 0.9)."
    )


async def test_jobs_beside_each_other_by_part_of_their_names(talk):
    async with talk("draw yesterday's two beside each other") as chat:
        _, sentence, _ = await chat.picture(
            job_id=FULL_PRICE, kind="compare", job_ids=["castle river"]
        )
    assert sentence.startswith(
        f"Names taken to mean {LOW_PRICE}: only one name begins with 'castle-river'. "
    )
