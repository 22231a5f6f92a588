import pytest

from parsers.go.errors import LimitError
from parsers.go.limits import MAX_OUTPUT, MAX_STEPS, MAX_WORK, Buffer, Meter, check_size


def test_a_size() -> None:
    check_size(MAX_OUTPUT)
    with pytest.raises(LimitError, match="makes a text of more than 4194304 bytes"):
        check_size(MAX_OUTPUT + 1)


def test_a_buffer_is_checked_before_it_grows() -> None:
    buffer = Buffer()
    buffer.write(b"ab")
    buffer.fill(b"-", 2)
    buffer.fill(b"-", -5)
    assert buffer.value() == b"ab--"
    with pytest.raises(LimitError):
        buffer.fill(b"-", 2**62)
    with pytest.raises(LimitError):
        buffer.write(b"x" * MAX_OUTPUT)
    assert buffer.value() == b"ab--"


def test_steps_and_work() -> None:
    meter = Meter()
    for _ in range(MAX_STEPS):
        meter.step()
    with pytest.raises(LimitError, match="takes more than 100000 steps"):
        meter.step()
    meter.work(MAX_WORK)
    with pytest.raises(LimitError, match="handles more than 16777216 bytes"):
        meter.work(1)
