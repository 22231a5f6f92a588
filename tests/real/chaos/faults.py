"""The faults: each is done to a site while lines come in, lasts a moment, and is undone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.real.chaos import misbehaviour as bad
from tests.real.chaos.kept import STREAM
from tests.real.chaos.proxy import Behaviour
from tests.real.chaos.site import Site, step_clock

Deed = Callable[[Site], None]
HTML = b"<!doctype html><html><body><h1>It works!</h1></body></html>"


def nothing(_: Site) -> None:
    return


@dataclass(frozen=True)
class Fault:
    """`seconds`: the least and the longest that it lasts. `loses`: lines may end elsewhere, counted."""

    name: str
    inject: Deed
    heal: Deed = nothing
    seconds: tuple[float, float] = (0.3, 1.5)
    loses: bool = False


def misbehave(name: str, behaviour: Behaviour, share: float = 1.0, loses: bool = False) -> Fault:
    """A proxy that does this to bulks, or to some of them."""

    def inject(site: Site) -> None:
        chosen = behaviour if share == 1.0 else bad.sometimes(behaviour, share, site.chance)
        site.proxy.behave(chosen)

    return Fault(name, inject, lambda site: site.proxy.heal(), loses=loses)


def everywhere(name: str, behaviour: Behaviour) -> Fault:
    """A proxy that does this to every request."""
    return Fault(
        name, lambda site: site.proxy.behave(behaviour, lambda _: True), lambda site: site.proxy.heal()
    )


CONNECTION = [
    Fault("connection refused", lambda s: s.proxy.down(), lambda s: s.proxy.up()),
    everywhere("cut before the request", bad.cut_before),
    misbehave("cut within the request", bad.cut_within),
    misbehave("cut before the answer", bad.cut_after),
    misbehave("cut within the answer", bad.cut_answer),
    misbehave("some cut before the answer", bad.cut_after, 0.5),
    misbehave("request half a second late", bad.late(0.5)),
    misbehave("answer half a second late", bad.late_answer(0.5)),
    misbehave("answer drips", bad.drip),
    misbehave("silence", bad.silence),
    misbehave("silence after it arrived", bad.silence_after),
]

ANSWER = [
    misbehave("429", bad.error(429, "es_rejected_execution_exception", "rejected execution")),
    everywhere("503 to everything", bad.error(503, "master_not_discovered_exception", "null")),
    misbehave("some 503", bad.error(503, "master_not_discovered_exception", "null"), 0.5),
    misbehave("502 of a proxy", bad.said(502, HTML, "text/html", product=False)),
    misbehave("504 after it arrived", bad.said_after(504, HTML, "text/html", product=False)),
    misbehave("413 over 20 kB", bad.too_large_over(20_000)),
    misbehave("401", bad.error(401, "security_exception", "unable to authenticate user")),
    misbehave("404", bad.error(404, "index_not_found_exception", "no such index [logs-docker-default]")),
    misbehave("noise", bad.noise),
    misbehave("noise after it arrived", bad.noise_after),
    misbehave("HTML with 200", bad.said(200, HTML, "text/html", product=False)),
    misbehave("HTML with 200 as Elasticsearch", bad.said(200, HTML)),
    misbehave("HTML with 200 after it arrived", bad.said_after(200, HTML)),
    everywhere("HTML with 200 to everything", bad.said(200, HTML)),
    everywhere("empty object to everything", bad.said(200, {})),
    misbehave("empty object", bad.said(200, {})),
    misbehave("a list", bad.said(200, [])),
    misbehave("null", bad.said(200, None)),
    misbehave("empty answer", bad.empty),
    misbehave("truncated answer", bad.truncate),
    misbehave("accepted, without verdicts", bad.said(200, {"errors": False, "items": []})),
    misbehave("items are no list", bad.said(200, {"errors": True, "items": {"create": {"status": 201}}})),
]

ITEMS = [
    misbehave("one verdict less", bad.one_verdict_less),
    misbehave("one verdict more", bad.one_verdict_more),
    misbehave("verdicts in another order", bad.verdicts_swapped),
    misbehave("half of the body got through", bad.half_the_body),
    misbehave("429 for every third", bad.items_refused(bad.every(3), bad.BUSY)),
    misbehave("429 for all but they are stored", bad.items_slandered(bad.every(1), bad.BUSY)),
    misbehave("429 for every other but stored", bad.items_slandered(bad.every(2), bad.BUSY)),
    misbehave("503 for every fifth", bad.items_refused(bad.every(5), bad.NO_SHARD)),
    misbehave("500 for every fifth but stored", bad.items_slandered(bad.every(5), bad.BROKEN)),
    misbehave("read-only block for all", bad.items_refused(bad.every(1), bad.READ_ONLY)),
    misbehave("write block for every other", bad.items_refused(bad.every(2), bad.WRITE_BLOCK)),
    misbehave(
        "400 for some, only now and then", bad.items_refused(bad.every(7), bad.REFUSED), 0.3, loses=True
    ),
    misbehave("400 for certain documents", bad.items_refused(bad.doomed(50), bad.REFUSED), loses=True),
]

# Elasticsearch itself


def roll_over(site: Site) -> None:
    site.ask("POST", f"/{STREAM}/_rollover")


def block(name: str) -> tuple[Deed, Deed]:
    def put(site: Site, value: bool | None) -> None:
        site.ask("PUT", f"/{STREAM}/_settings", {f"index.blocks.{name}": value})

    return lambda site: put(site, True), lambda site: put(site, None)


def kill_store(site: Site) -> None:
    site.node.kill()


def start_store(site: Site) -> None:
    site.node.start()


def many_roll_overs(site: Site) -> None:
    for _ in range(3):
        roll_over(site)
        time.sleep(0.1)


STORE = [
    Fault("roll-over", roll_over, seconds=(0.0, 0.3)),
    Fault("three roll-overs", many_roll_overs, seconds=(0.0, 0.3)),
    Fault("index write block", *block("write")),
    Fault("index read-only, deletes allowed", *block("read_only_allow_delete")),
    Fault("index read-only", *block("read_only")),
    Fault("Elasticsearch frozen", lambda s: s.node.freeze(), lambda s: s.node.thaw(), (1.0, 5.0)),
]

RESTARTS = [
    Fault("Elasticsearch killed", kill_store, start_store, (0.0, 2.0)),
    Fault("Elasticsearch restarted", lambda s: s.node.stop(), start_store, (0.0, 1.0)),
]

# logdock


def kill(site: Site) -> None:
    site.kill()


def launch(site: Site) -> None:
    site.launch()


def kill_in_replay(site: Site) -> None:
    """Twice again while it starts: before its ports are open, or in the replay."""
    for _ in range(2):
        site.kill()
        site.launch()
        time.sleep(site.chance.uniform(0.0, 1.8))
    site.kill()


SERVER = [
    Fault("logdock killed", kill, launch, (0.0, 0.5)),
    Fault("logdock killed in replay", kill_in_replay, launch, (0.0, 0.1)),
    Fault("logdock stopped and started", lambda s: s.terminate(), launch, (0.0, 0.3)),
    Fault("senders fail over", lambda s: s.load.fickle(True), lambda s: s.load.fickle(False)),
]


def stepped(offset: str) -> Fault:
    def inject(site: Site) -> None:
        assert site.clock is not None
        step_clock(site.clock, offset)

    return Fault(f"clock steps to {offset}", inject, seconds=(0.2, 1.0))


CLOCK = [stepped(offset) for offset in ("+3h", "-2h", "+40d", "-1d", "+0")]


def with_kill(fault: Fault) -> Fault:
    """The same, and in the middle of it logdock is killed and started again."""

    def inject(site: Site) -> None:
        fault.inject(site)
        time.sleep(site.chance.uniform(0.0, 1.0))
        site.kill()
        site.launch()

    return replace(fault, name=f"{fault.name} + kill", inject=inject)


def with_roll_over(fault: Fault) -> Fault:
    """The same, and before it is undone another backing index becomes the one that is written."""

    def heal(site: Site) -> None:
        roll_over(site)
        fault.heal(site)

    return replace(fault, name=f"{fault.name} + roll-over", heal=heal)
