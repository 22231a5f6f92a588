"""Random templates of one kind each: formats, times, texts of all of Unicode, numbers, tokens in a heap."""

from __future__ import annotations

from random import Random

from tests.parsers.templates import LAYOUTS, encoded

VALUES = (
    ".", "$", ".Name", ".ContainerID", ".ContainerCreated", ".ContainerArgs", ".ContainerLabels", ".Config",
    "nil", "true", "0", "-1", "65", "8482", "1114112", "9223372036854775807", "-9223372036854775808", "1.5",
    "-0.0", "1e100", "1e-320", "123456789.125", "0.1", "1e6", "2.5i", "-1-0.5i", '"é\\xff\\n`"', '"abc"',
    '""', "(index .ID 0)", ".ContainerCreated.Month", ".ContainerCreated.Weekday", ".ContainerCreated.Unix",
    "(slice .ContainerArgs 0 0)", ".ContainerLabels.none", '(split "a,b" ",")', "(len .Name)",
    ".ContainerEnv", "'x'", "0x7fffffffffffffff", "(.ExtraAttributes nil)", "1e21", "100000.0", "0x1p-1074",
    "4.9e-324", "1.7976931348623157e308",
)  # fmt: skip
DATA_VALUES = (
    ".",
    ".l",
    ".m",
    ".n",
    ".s",
    ".i",
    ".f",
    ".b",
    ".m.n",
    ".m.e",
    ".nope",
    "(index .l 2)",
    "nil",
    "$",
)
VERBS = "vvvvdsqxXbtTcUoOeEfFgGwzZ%!é"
TOKENS = (
    "{{", "}}", "{{-", "-}}", "{{- ", " -}}", "/*", "*/", "if", "else", "end", "range", "with", "define",
    "block", "template", "break", "continue", "nil", ".", ".A", ".Name", "$", "$x", ":=", "=", ",", "|",
    "(", ")", '"a"', "`b`", "'c'", "1", "1.5", "1+2i", "true", "print", "len", "nope", " ", " ", " ", "\n",
    "\t", "text", ".x.y", "-", "{{end}}", "{{else}}", "{{if .}}", "{{range .}}", '{{define "d"}}',
    '{{template "d" .}}', '"', "'", "`", "\\", "é", "\udcff", "{{.}}", "{{else if .}}", "{{break}}", "}",
    "{", "\x00", ":", "+", "#", "{{with $x := .}}",
)  # fmt: skip
CHARACTERS = (
    "".join(map(chr, range(128)))
    + "\u00a0\u00ad\u0130\u0131\u01c5\u01c6\u0345\u03c2\u0600\u10d0\u1c90\u1e9e\u2028\u2029"
    "\ufeff\ufffd\ufffe\ud7ff\ue000\U00010400\U0001f600\U000e0001\U0010ffff\udc80\udcff\udcc3\udce2"
)
FUNCTIONS = (
    "lower", "upper", "title", "html", "js", "urlquery", "json", "len", 'printf "%q"', 'printf "%+q"',
    'printf "%x"', 'printf "%#q"', 'printf "%.3s"', 'printf "%10.4s|"', 'printf "%-6q|"', 'split ""',
    "print", 'printf "%v" | json', 'printf "%#U" (index .ID 0)', "truncate 3", 'printf "% #X"', "println",
    "slice", 'printf "%08q"',
)  # fmt: skip
ESCAPES = ("\\", "x", "u", "U", "0", "1", "7", "a", "n", "'", '"', "é", "\udcff", "4")
LAYOUT_PARTS = (
    "January", "Jan", "Monday", "Mon", "MST", "01", "02", "03", "04", "05", "06", "002", "15", "1", "2006",
    "2", "_2", "__2", "3", "4", "5", "PM", "pm", "-070000", "-07:00:00", "-0700", "-07:00", "-07",
    "Z070000", "Z07:00:00", "Z0700", "Z07:00", "Z07", ".000", ".999", ",0", ",9", ".", "0", "9", "_", "J",
    "M", "x", " ", ":", "-", "T", "\\x00", "é",
)  # fmt: skip


def formats(random: Random, *, data: bool = False) -> bytes:
    """printf with any flags of any verb, and more or fewer values than it wants."""
    form = ""
    for _ in range(random.randint(1, 4)):
        flags = "".join(random.choice("+-# 0") for _ in range(random.choice((0, 0, 1, 2, 3))))
        index = random.choice(("", "", "", "[1]", "[2]", "[3]", "[0]", "[]", "[x]", "[99]", "[1"))
        width = random.choice(("", "", "", "1", "8", "20", "*", "000", "9999999"[: random.randint(1, 3)]))
        precision = random.choice(("", "", "", ".", ".0", ".1", ".5", ".*", ".[2]*", ".30", ".-1"))
        form += f"{random.choice(('', 'a', '%%'))}%{flags}{index}{width}{precision}{random.choice(VERBS)}"
    values = DATA_VALUES if data else VALUES
    chosen = " ".join(random.choice(values) for _ in range(random.randint(0, 4)))
    return encoded(
        f"{{{{{random.choice(('printf', 'printf', 'printf', 'print', 'println'))} `{form}` {chosen}}}}}"
    )


def times(random: Random) -> bytes:
    layout = "".join(random.choice(LAYOUT_PARTS) for _ in range(random.randint(1, 7)))
    layout = layout if random.random() < 0.8 else random.choice(LAYOUTS)
    shift = random.choice(("0", "1", "-1", "86400000000000", "-90061000000001", "9000000000000000000"))
    time = random.choice((".ContainerCreated", f"(.ContainerCreated.Add {shift})"))
    method = random.choice(
        ("Unix", "UnixMilli", "UnixMicro", "UnixNano", "Year", "Month", "Day", "Weekday", "YearDay", "Hour",
        "String",
         "GoString", "IsZero", "Nanosecond", "IsDST", "UTC", "Compare .ContainerCreated",
         "Before .ContainerCreated"),
    )  # fmt: skip
    return encoded(f'{{{{{time}.Format "{layout}"}}}}|{{{{{time}.{method}}}}}|{{{{json {time}}}}}')


def texts(random: Random) -> bytes:
    """A string literal of any characters through functions."""
    text = "".join(_character(random) for _ in range(random.randint(0, 12)))
    if random.random() < 0.5:
        literal = "`" + text.replace("`", "") + "`"
    else:
        literal = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    pipe = " | ".join(random.choice(FUNCTIONS) for _ in range(random.randint(1, 2)))
    return encoded(f"{{{{{literal} | {pipe}}}}}")


def _character(random: Random) -> str:
    if random.random() < 0.8:
        return random.choice(CHARACTERS)
    code = random.choice((random.randrange(0x3000), random.randrange(0x110000)))
    return chr(code) if not 0xD800 <= code <= 0xDFFF else "\udc90"


def numbers(random: Random) -> bytes:
    """Constants of all forms, and of none."""
    text = "".join(random.choice("0011223789__..eEpPxXoObBiiaf+-+-") for _ in range(random.randint(1, 9)))
    if random.random() < 0.5:
        text = random.choice(("0x", "0b", "0o", "1.", "-", "+", "0", ".", "1e", "0x1p", "5+", "1.5-")) + text
    if random.random() < 0.3:
        mark = random.choice("'\"")
        text = mark + "".join(random.choice(ESCAPES) for _ in range(random.randint(0, 8))) + mark
    forms = (
        "{{%s}}",
        "{{print %s}}",
        "{{truncate `abcdefghijkl` %s}}",
        "{{json %s}}",
        "{{eq %s 1}}{{lt 1.5 %s}}",
    )
    return encoded(random.choice(forms).replace("%s", text))


def soup(random: Random) -> bytes:
    """Tokens in any order, most of them within actions."""
    count = random.randint(1, 12)
    text = "".join(random.choice(TOKENS) for _ in range(count))
    return encoded(text if random.random() < 0.3 else "{{" + text + random.choice(("}}", " }}", "")))


def odd_template(random: Random, *, data: bool = False) -> bytes:
    if data:
        return random.choice((formats(random, data=True), soup(random)))
    return random.choice((formats, formats, times, texts, numbers, soup))(random)
