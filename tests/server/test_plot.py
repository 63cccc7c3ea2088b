"""`plot_results`, as a client sees it: a picture, a sentence, where they are kept."""

import base64
import io
from pathlib import Path

from mcp import Client
from mcp.client.stdio import stdio_client
from PIL import Image

from bilancio.model.metrics import METRICS
from bilancio_mcp.server import build_server
from tests.server.talk import completed, created, module_command, over_stdio, refusal, typo

MOST = 40_000


def picture(result):
    """Return the image and the lines of text of an answer."""
    assert not result.is_error, result.content[0].text
    assert result.structured_content is None  # the model would see nothing else
    image, said = result.content
    assert (image.type, image.mime_type, said.type) == ("image", "image/png", "text")
    data = base64.b64decode(image.data)
    assert len(data) <= MOST
    return Image.open(io.BytesIO(data)), said.text.splitlines()


async def test_a_plot_is_an_image_a_sentence_and_two_paths():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        result = await client.call_tool("plot_results", {"job_id": job_id})
        image, (sentence, png, svg) = picture(result)
        assert image.width <= 1000
        assert sentence.startswith("Trading effect by κ: ")
        assert Path(png).read_bytes() == base64.b64decode(result.content[0].data)
        assert svg == png.removesuffix(".png") + ".svg"
        assert Path(svg).parent.name == "figures"


async def test_kinds_parameters_conditions_and_modes_are_taken():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        asked = {"job_id": job_id, "kind": "default_rate", "x": "kappa", "dark": True}
        image, (sentence, *_) = picture(await client.call_tool("plot_results", asked))
        assert sentence.startswith("Default rate from κ 0.25 to 0.5")
        assert sum(image.convert("RGB").getpixel((2, 2))) < 100
        asked = {"job_id": job_id, "kind": "distribution", "where": {"kappa": "<0.4"}}
        _, (sentence, *_) = picture(await client.call_tool("plot_results", asked))
        assert sentence.startswith("Of 3 pairs")
        asked = {"job_id": job_id, "y": next(each.name for each in METRICS if each.measure)}
        picture(await client.call_tool("plot_results", asked | {"kind": "measure"}))


async def test_jobs_are_compared_and_a_misspelt_name_is_read():
    async with Client(build_server()) as client:
        one, two = await completed(client), await completed(client)
        asked = {"job_id": typo(one), "job_ids": [two]}
        _, (sentence, *_) = picture(await client.call_tool("plot_results", asked))
        assert one in sentence
        assert two in sentence
        assert sentence.startswith("Read as ") or "read" in sentence.lower()


async def test_what_cannot_be_drawn_is_refused_with_what_can():
    async with Client(build_server()) as client:
        pending = await created(client)
        said = refusal(await client.call_tool("plot_results", {"job_id": pending}))
        assert "no run has been recorded yet" in said
        job_id = await completed(client)
        asked = {"job_id": job_id, "kind": "pie chart"}
        said = refusal(await client.call_tool("plot_results", asked))
        assert "kind: got 'pie chart'" in said
        assert len(said) < 400
        asked = {"job_id": job_id, "kind": "effect", "x": "mu"}
        said = refusal(await client.call_tool("plot_results", asked))
        assert "mu, which has one value here (0" in said


async def test_a_picture_comes_over_stdio():
    async with Client(build_server()) as client:
        job_id = await completed(client)
    async with Client(stdio_client(over_stdio(module_command()))) as client:
        picture(await client.call_tool("plot_results", {"job_id": job_id}))
