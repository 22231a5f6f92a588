import pytest

from api.doctor.versions import CURRENT, OLDEST, Version, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("26.1.5", (26, 1, 5)),
        ("v28.2", (28, 2, 0)),
        ("29", (29, 0, 0)),
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("29.0.0-rc.1", (29, 0, 0)),
        (" 25.0.3~3-0~debian ", (25, 0, 3)),
        ("19.03.15", (19, 3, 15)),
    ],
)
def test_versions(text: str, version: tuple[int, int, int]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["", "newest", "1.13.1", "4.9.3", "26.x", "26,1"])
def test_no_versions(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        parse_version(text)


def test_order_and_text() -> None:
    assert OLDEST < Version(28, 2) < Version(28, 10) < CURRENT
    assert (str(Version(28, 2)), str(Version(26, 1, 5))) == ("28.2", "26.1.5")
