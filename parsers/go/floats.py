"""Floating-point numbers as text (Go: strconv.FormatFloat for float64)."""

from __future__ import annotations

import struct
from math import isnan

_MANTISSA_BITS = 52
_BIAS = -1023


def format_float(value: float, verb: str, precision: int) -> bytes:
    """`verb` is one of e E f g G b x X. Precision -1: the fewest digits that give the value back."""
    if isnan(value):
        return b"NaN"
    if value in (float("inf"), float("-inf")):
        return b"+Inf" if value > 0 else b"-Inf"
    if verb == "b":
        return _in_base_2(value)
    if verb in "xX":
        return _in_base_16(value, verb, precision)
    return _shortest(value, verb) if precision < 0 else f"%.{precision}{verb}".encode() % value


def _shortest(value: float, verb: str) -> bytes:
    sign, digits, exponent = _digits(value)
    if verb == "f" or (verb in "gG" and -4 <= exponent < 6):
        return (sign + _plain(digits, exponent)).encode()
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    letter = "E" if verb in "EG" else "e"
    return f"{sign}{mantissa}{letter}{'-' if exponent < 0 else '+'}{abs(exponent):02d}".encode()


def _digits(value: float) -> tuple[str, str, int]:
    """Sign, shortest digits without zeros at their end, and the power of ten of the first."""
    text = repr(abs(value))
    sign = "-" if struct.pack(">d", value)[0] & 0x80 else ""
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = len(whole) - 1 + int(power or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return (sign, digits, exponent) if digits else (sign, "0", 0)


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole


def _parts(value: float) -> tuple[str, int, int]:
    """Sign, mantissa with its implied bit, and exponent of a mantissa of 1.x."""
    bits = int.from_bytes(struct.pack(">d", value), "big")
    exponent, mantissa = bits >> _MANTISSA_BITS & 0x7FF, bits & ((1 << _MANTISSA_BITS) - 1)
    if exponent == 0:
        exponent = 1  # denormalized: no implied bit
    else:
        mantissa |= 1 << _MANTISSA_BITS
    return "-" if bits >> 63 else "", mantissa, exponent + _BIAS


def _in_base_2(value: float) -> bytes:
    sign, mantissa, exponent = _parts(value)
    return f"{sign}{mantissa}p{exponent - _MANTISSA_BITS:+d}".encode()


def _in_base_16(value: float, verb: str, precision: int) -> bytes:
    sign, mantissa, exponent = _parts(value)
    mantissa <<= 60 - _MANTISSA_BITS
    if mantissa:
        shift = 61 - mantissa.bit_length()
        mantissa, exponent = mantissa << shift, exponent - shift
    else:
        exponent = 0
    if 0 <= precision < 15:
        mantissa, exponent = _rounded(mantissa, exponent, 60 - 4 * precision)
    digits = f"{mantissa & ((1 << 60) - 1):015x}"
    digits = digits.rstrip("0") if precision < 0 else digits[:precision].ljust(precision, "0")
    point = "." if digits else ""
    text = f"{sign}0x{mantissa >> 60}{point}{digits}p{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return (text.upper() if verb == "X" else text).encode()


def _rounded(mantissa: int, exponent: int, dropped: int) -> tuple[int, int]:
    """To even where it is in the middle; `dropped` bits become zero."""
    kept, rest = mantissa >> dropped, mantissa & ((1 << dropped) - 1)
    half = 1 << dropped >> 1
    if rest > half or (rest == half and kept & 1):
        kept += 1
    mantissa = kept << dropped
    return (mantissa >> 1, exponent + 1) if mantissa >> 61 else (mantissa, exponent)
