import pytest

from api.doctor.suggest import meant

KNOWN = ["fluentd-async", "fluentd-address", "labels", "live-restore", "mode"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("fluentd-asnyc", "fluentd-async"),
        ("Fluentd_Async", "fluentd-async"),
        ("fluentdasync", "fluentd-async"),
        (" labels ", "labels"),
        ("label", "labels"),
        ("liverestore", "live-restore"),
        ("colour", None),
        ("", None),
    ],
)
def test_meant(written: str, name: str | None) -> None:
    assert meant(written, KNOWN) == name
