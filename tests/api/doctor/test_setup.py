from api.doctor import engine
from api.doctor.setup import DRIVER, LIVE_RESTORE, SECTION, Place, Setup

TOLD = engine.told("26.1")


def setup(driver: str = "fluentd", **options: str) -> Setup:
    return Setup(driver, {name.replace("_", "-"): value for name, value in options.items()}, TOLD)


def test_truth_is_gos() -> None:
    assert setup(fluentd_async="T").is_async and not setup(fluentd_async="yes").is_async
    assert not setup(fluentd_async="").is_async and setup(fluentd_async_connect="1").is_async
    assert not setup("gelf", fluentd_async="true").is_async
    assert setup(fluentd_request_ack="true").acknowledges
    assert setup(mode="non-blocking").non_blocking and not setup(mode="").non_blocking


def test_who_connects_at_a_start() -> None:
    assert setup().connects_at_start and not setup(fluentd_async="true").connects_at_start
    assert setup("gelf", gelf_address="tcp://h:1").connects_at_start
    assert not setup("gelf", gelf_address="udp://h:1").connects_at_start
    assert setup("gelf").target is None and not setup("gelf").connects_at_start


def test_places_and_paths() -> None:
    places = {
        DRIVER: Place((DRIVER,), 2, 3),
        SECTION: Place((SECTION,), 3, 3),
        "tag": Place((SECTION, "tag"), 4, 5),
    }
    made = Setup("fluentd", {"tag": "x"}, TOLD, places)
    written = made.error("tag-invalid", "tag", "m", "e", "f")
    assert (written.path, written.line, written.column) == (("log-opts", "tag"), 4, 5)
    missing = made.advice("sub-second", "fluentd-sub-second-precision", "m", "e", "f")
    assert (missing.path, missing.line) == (("log-opts", "fluentd-sub-second-precision"), 3)
    assert made.advice("live-restore-off", LIVE_RESTORE, "m", "e", "f").path == ("live-restore",)
    assert made.warning("driver-elsewhere", DRIVER, "m", "e", "f").line == 2


def test_what_happens_depends_on_where_it_stands() -> None:
    assert setup().refused("why") == "dockerd does not start: why"
    assert Setup("fluentd", {}, TOLD, service="web").refused("why") == "the container is not created: why"
    assert "none starts: why" in setup().unstarted("why")
    assert Setup("fluentd", {}, TOLD, service="web").unstarted("why") == "the container does not start: why"


def test_an_engine_older_than_the_tables_is_judged_as_the_oldest() -> None:
    assert str(Setup("fluentd", {}, engine.told("19.03")).version) == "20.10"
