"""The table of keys. Real 20.10 and 26.1 are asked for it in tests/real/test_doctor.py."""

from api.doctor import keys
from api.doctor.versions import CURRENT, OLDEST, Version


def test_what_came_and_went() -> None:
    assert keys.known("log-driver", OLDEST) and keys.known("log-driver", CURRENT)
    assert not keys.known("bip6", Version(27, 5)) and keys.known("bip6", Version(28))
    assert keys.known("oom-score-adjust", Version(25)) and not keys.known("oom-score-adjust", Version(26))
    assert keys.known("graph", Version(23)) and not keys.known("graph", Version(24))
    assert not keys.known("Debug", CURRENT)


def test_flags_are_taken_and_ignored() -> None:
    assert keys.ignored("label", OLDEST) and keys.ignored("restart", CURRENT)
    assert not keys.ignored("feature", Version(27)) and keys.ignored("feature", Version(27, 3))
    assert not keys.ignored("cluster-store-opt", Version(24))
    assert not keys.ignored("labels", CURRENT)


def test_the_table_is_consistent() -> None:
    assert set(keys.SINCE) <= set(keys.KEYS) and set(keys.UNTIL) <= set(keys.KEYS)
    assert set(keys.FLAG_NAMES.values()) <= set(keys.KEYS) and not set(keys.FLAG_NAMES) & set(keys.KEYS)
    assert set(keys.KEYS) >= keys.FLAT
    assert {*keys.KEYS.values()} == {"text", "bool", "number", "list", "object", "size"}
    assert "log-opts" in keys.all_keys(OLDEST)
