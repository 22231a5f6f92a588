import pytest

from parsers.pieces import Piece, take_piece

ID = "ab" * 32


def marked(**changes: object) -> dict[str, object]:
    keys = {"partial_message": "true", "partial_id": ID, "partial_ordinal": "2", "partial_last": "false"}
    return {"container_id": "c", "label": "l", **keys, **changes}


@pytest.mark.parametrize(
    ("changes", "piece"),
    [
        ({}, Piece(ID, 2, False)),
        ({"partial_last": "true"}, Piece(ID, 2, True)),
        ({"partial_message": True, "partial_ordinal": 3, "partial_last": True}, Piece(ID, 3, True)),
        ({"partial_ordinal": "999999999"}, Piece(ID, 999_999_999, False)),
    ],
)
def test_a_marked_record_is_a_piece_and_its_marks_are_no_labels(
    changes: dict[str, object], piece: Piece
) -> None:
    record = marked(**changes)
    assert take_piece(record) == piece
    assert record == {"container_id": "c", "label": "l"}


def test_an_old_engine_only_says_that_there_is_more() -> None:
    record = {"partial_message": "true", "label": "l", "partial_last": "a label"}
    assert take_piece(record) == Piece("", 0, False)
    assert record == {"label": "l", "partial_last": "a label"}


@pytest.mark.parametrize(
    "changes",
    [
        {"partial_message": "false"}, {"partial_message": ""}, {"partial_message": "yes"},
        {"partial_message": None},
        {"partial_message": 1.5}, {"partial_message": ["true"]}, {"partial_message": b"true\xff"},
        {"partial_id": ""}, {"partial_id": 7}, {"partial_id": None}, {"partial_id": b"\xff"},
        {"partial_ordinal": "0"}, {"partial_ordinal": 0}, {"partial_ordinal": "-1"},
        {"partial_ordinal": "1.0"},
        {"partial_ordinal": ""}, {"partial_ordinal": "1" * 10}, {"partial_ordinal": 10**9},
        {"partial_ordinal": "²"},
        {"partial_ordinal": None}, {"partial_ordinal": True}, {"partial_last": "maybe"},
        {"partial_last": None},
        {"partial_last": 1}, {"partial_last": ["true"]},
    ],
)  # fmt: skip
def test_anything_else_is_a_label_and_stays(changes: dict[str, object]) -> None:
    record = marked(**changes)
    assert take_piece(record) is None
    assert record == marked(**changes)
