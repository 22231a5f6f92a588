from api.doctor.options import DRIVERS, FLUENTD, GELF, known_options, owner
from api.doctor.versions import CURRENT, OLDEST, Version


def test_options_came_and_went() -> None:
    assert "fluentd-async-connect" in known_options("fluentd", Version(27, 5))
    assert "fluentd-async-connect" not in known_options("fluentd", Version(28))
    assert "fluentd-write-timeout" not in known_options("fluentd", Version(28, 1))
    assert "fluentd-write-timeout" in known_options("fluentd", Version(28, 2))
    assert "fluentd-read-timeout" in known_options("fluentd", Version(29))
    assert "fluentd-async-reconnect-interval" not in known_options("fluentd", OLDEST)
    assert {"mode", "cache-disabled", "tag", "gelf-address"} <= set(known_options("gelf", CURRENT))


def test_whose_an_option_is() -> None:
    assert owner("max-size", "fluentd") == "json-file"
    assert owner("gelf-address", "fluentd") == "gelf"
    assert owner("syslog-facility", "gelf") == "syslog"
    assert owner("fluentd-address", "fluentd") is None and owner("nonsense", "gelf") is None
    assert set(FLUENTD) & set(GELF) == {"tag", "labels", "labels-regex", "env", "env-regex"}
    assert {"fluentd", "gelf", "json-file", "local", "none", "journald", "syslog"} <= set(DRIVERS)
