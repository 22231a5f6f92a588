"""What a broken network, a proxy in between, or a server in trouble does to one request.

Each is a Behaviour of proxy.py. "Before" means that Elasticsearch has not seen the request, "after" that it
did what was asked while the client never hears so.
"""

import asyncio
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.real.chaos.messages import Message, reply
from tests.real.chaos.proxy import Behaviour, Cut, Exchange, forward

FEW_BYTES = 40  # of an answer that ends too early: inside its head or its first verdict

# Connections


async def cut_before(_: Exchange) -> None:
    raise Cut


async def cut_within(exchange: Exchange) -> None:
    """Half of the request arrives."""
    raw = exchange.request.raw
    await exchange.send_part(raw[: len(raw) // 2])
    raise Cut


async def cut_after(exchange: Exchange) -> None:
    await exchange.ask()
    raise Cut


async def cut_answer(exchange: Exchange) -> None:
    """Half of the answer arrives, then a reset."""
    raw = (await exchange.ask()).raw
    await exchange.answer(raw[: max(FEW_BYTES, len(raw) // 2)])
    raise Cut


async def silence(_: Exchange) -> None:
    """No answer and no end, as when a route is lost."""
    await asyncio.sleep(3600)


async def silence_after(exchange: Exchange) -> None:
    await exchange.ask()
    await asyncio.sleep(3600)


def late(seconds: float) -> Behaviour:
    async def behaviour(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await forward(exchange)

    return behaviour


def late_answer(seconds: float) -> Behaviour:
    async def behaviour(exchange: Exchange) -> None:
        answer = await exchange.ask()
        await asyncio.sleep(seconds)
        await exchange.answer(answer)

    return behaviour


async def drip(exchange: Exchange) -> None:
    """The answer comes in small pieces."""
    raw = (await exchange.ask()).raw
    step = max(1, len(raw) // 40)
    for at in range(0, len(raw), step):
        await exchange.answer(raw[at : at + step])
        await asyncio.sleep(0.01)


# Answers to the whole request


def said(status: int, body: Any, kind: str = "application/json", product: bool = True) -> Behaviour:
    """This answer instead of Elasticsearch's, which never sees the request."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.answer(reply(status, body, kind, product))

    return behaviour


def said_after(status: int, body: Any, kind: str = "application/json", product: bool = True) -> Behaviour:
    """The same, but Elasticsearch has done what was asked."""
    before = said(status, body, kind, product)

    async def behaviour(exchange: Exchange) -> None:
        await exchange.ask()
        await before(exchange)

    return behaviour


def error(status: int, kind: str, reason: str) -> Behaviour:
    """An error as Elasticsearch words it."""
    cause = {"type": kind, "reason": reason}
    return said(status, {"error": {"root_cause": [cause], **cause}, "status": status})


def too_large_over(limit: int) -> Behaviour:
    """413 for every body beyond `limit` bytes, as a proxy with a small limit says it."""
    refusal = said(413, b"<html><h1>413 Request Entity Too Large</h1></html>", "text/html", product=False)

    async def behaviour(exchange: Exchange) -> None:
        await (refusal if len(exchange.request.body) > limit else forward)(exchange)

    return behaviour


async def noise(exchange: Exchange) -> None:
    """Bytes that are no HTTP."""
    await exchange.answer(random.randbytes(200) + b"\r\n\r\n")
    raise Cut


async def noise_after(exchange: Exchange) -> None:
    await exchange.ask()
    await noise(exchange)


async def truncate(exchange: Exchange) -> None:
    """A whole HTTP answer around a part of Elasticsearch's."""
    answer = await exchange.ask()
    await exchange.answer(answer.with_body(answer.body[: len(answer.body) * 2 // 3]))


async def empty(exchange: Exchange) -> None:
    await exchange.answer((await exchange.ask()).with_body(b""))


# Answers about items


def _items(answer: Message) -> list[Any]:
    found = answer.json().get("items")
    return found if isinstance(found, list) else []


async def one_verdict_less(exchange: Exchange) -> None:
    answer = await exchange.ask()
    await exchange.answer(reply(200, {"errors": True, "items": _items(answer)[:-1]}))


async def one_verdict_more(exchange: Exchange) -> None:
    items = _items(await exchange.ask())
    await exchange.answer(reply(200, {"errors": True, "items": [*items, *items[:1]]}))


async def verdicts_swapped(exchange: Exchange) -> None:
    """The right verdicts, about the wrong documents."""
    items = _items(await exchange.ask())
    await exchange.answer(reply(200, {"errors": False, "items": items[::-1]}))


async def half_the_body(exchange: Exchange) -> None:
    """Only half of the documents reach Elasticsearch, and its honest answer about those comes back."""
    lines = exchange.request.lines_of_body()
    half = lines[: (len(lines) + 1) // 2]
    await exchange.answer(await exchange.ask(exchange.request.plain().with_body(b"".join(half))))


Verdict = dict[str, Any]


def verdict(status: int, kind: str, reason: str) -> Verdict:
    return {"status": status, "error": {"type": kind, "reason": reason}}


def about(line: bytes, told: Verdict) -> Any:
    """`told` as the item of a reply, about the document of this line of a body."""
    action = msgspec.json.decode(line.partition(b"\n")[0])
    return {"create": {"_index": ".ds-somewhere", "_id": action["create"]["_id"], **told}}


BUSY = verdict(429, "es_rejected_execution_exception", "rejected execution of coordinating operation")
NO_SHARD = verdict(503, "unavailable_shards_exception", "primary shard is not active Timeout: [1m]")
READ_ONLY = verdict(
    429, "cluster_block_exception", "blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage];"
)
WRITE_BLOCK = verdict(403, "cluster_block_exception", "blocked by: [FORBIDDEN/8/index write (api)];")
BROKEN = verdict(500, "some_exception", "something broke")
REFUSED = verdict(400, "document_parsing_exception", "[1:2] failed to parse")

Pick = Callable[[bytes, int], bool]


def every(step: int) -> Pick:
    """Every `step`-th place of a body."""
    return lambda _, place: place % step == 0


def doomed(step: int) -> Pick:
    """About one document in `step`, always the same ones: told by their action line."""
    return lambda line, _: zlib.crc32(line.partition(b"\n")[0]) % step == 0


def items_refused(pick: Pick, told: Verdict) -> Behaviour:
    """Those that `pick` chooses never reach Elasticsearch and are answered with `told`."""

    async def behaviour(exchange: Exchange) -> None:
        lines = exchange.request.lines_of_body()
        refused = [pick(line, place) for place, line in enumerate(lines)]
        kept = [line for line, gone in zip(lines, refused, strict=True) if not gone]
        items: Sequence[Any] = []
        if kept:
            items = _items(await exchange.ask(exchange.request.plain().with_body(b"".join(kept))))
        if len(items) != len(kept):  # a request that failed as a whole
            raise Cut
        real = iter(items)
        merged = [
            about(line, told) if gone else next(real) for line, gone in zip(lines, refused, strict=True)
        ]
        await exchange.answer(reply(200, {"errors": True, "items": merged}))

    return behaviour


def items_slandered(pick: Pick, told: Verdict) -> Behaviour:
    """All are stored, but of those that `pick` chooses `told` is said."""

    async def behaviour(exchange: Exchange) -> None:
        lines = exchange.request.lines_of_body()
        items = _items(await exchange.ask())
        if len(items) != len(lines):  # a request that failed as a whole
            raise Cut
        merged = [
            about(line, told) if pick(line, place) else item
            for place, (line, item) in enumerate(zip(lines, items, strict=True))
        ]
        await exchange.answer(reply(200, {"errors": True, "items": merged}))

    return behaviour


def sometimes(behaviour: Behaviour, share: float, chance: random.Random) -> Behaviour:
    async def either(exchange: Exchange) -> None:
        await (behaviour if chance.random() < share else forward)(exchange)

    return either


def throttle(per_second: float) -> Behaviour:
    """Elasticsearch takes that many documents a second: one body after the other."""
    lock = asyncio.Lock()

    async def behaviour(exchange: Exchange) -> None:
        async with lock:
            await asyncio.sleep(len(exchange.request.lines_of_body()) / per_second)
        await forward(exchange)

    return behaviour
