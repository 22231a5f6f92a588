import asyncio

from api.streams import Streams


async def test_close_is_seen_by_all_who_wait() -> None:
    streams = Streams()
    assert not streams.closing
    waiting = [asyncio.create_task(streams.closed()) for _ in range(3)]
    await asyncio.sleep(0)
    streams.close()
    await asyncio.gather(*waiting)
    assert streams.closing
    await streams.closed()
