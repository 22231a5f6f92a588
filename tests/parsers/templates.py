"""Random templates and containers, from a seed: what the tests of parsers.gotemplate ask Go and us alike.

A template is mostly well-formed and well-typed; each choice has a small chance to be neither, and a part of
the templates is damaged afterwards. Nothing here loops for long or needs memory: Go would do it all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

FIELDS = (
    "Config", "ContainerID", "ContainerName", "ContainerEntrypoint", "ContainerArgs", "ContainerImageID",
    "ContainerImageName", "ContainerCreated", "ContainerEnv", "ContainerLabels", "LogPath", "DaemonName",
)  # fmt: skip
STRINGS = (
    "ID", "FullID", "Name", "Command", "ImageID", "ImageFullID", "ImageName", "Hostname", "DaemonName",
    "ContainerName", "LogPath",
)  # fmt: skip
TIME_PARTS = (
    "Unix", "UnixMilli", "UnixMicro", "UnixNano", "Day", "Hour", "Minute", "Second", "Nanosecond", "YearDay",
)  # fmt: skip
LABELS = (
    "com.docker.compose.project", "com.docker.compose.service", "com.docker.swarm.task.name", "a", "b",
    "tier", "_x", "Ünïcode", "k9",
)  # fmt: skip
NAMES = ("alpha", "beta", "gamma", "log-tag")
TEXTS = (
    "a", "-", "/", ":", ".", " ", "\n", "\t", "  \n ", "|", "x=", "{", "}", "}}", "한국", "é", "%", "%d",
    "\\", "$", "'", '"', "\r\n", "\u00a0", "\u2028", "[", "]",
)  # fmt: skip
LITERALS = (
    '""', '"a"', '"-"', '"."', '","', '" "', '"web"', '"a,b,c"', "`raw \\n`", '"\\n\\t\\""', '"\\x41\\xff"',
    '"\\u00e9"', '"\\U0001F600"', '"\\101"', '"é"', '"<b>&\'"', '"x y_z-9"', "`a\r\nb`", "``", '"SHOUT"',
    '"ǆ ß ŉ İ"', '"\\u2028\\u00a0"', '"%d"', '"\\\\"',
)  # fmt: skip
SMALL = ("0", "1", "2", "3", "5", "12", "-1", "0x3", "0b11", "0o7", "07", "'a'", "'\\n'", "+2", "1_0")
NUMBERS = (
    *SMALL, "1.5", "-0.25", "1e3", "1e-7", "0x1p-2", "1i", "2.5i", "1+2i", "-1-1i", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "1e100", ".5", "5.", "0.1", "100000.0", "1234567.0",
    "1e21", "0x1.8p3", "'é'", "'\\x00'", "-0", "-0x1e", "1e0", "0i", "123456789", "3.0", "0X1F", "1.0e+2",
)  # fmt: skip
BAD_NUMBERS = (
    "08", "1__0", "0x", "1e", "0b2", "99999999999999999999", "1e999", "''", "'ab'", "1+2", "0x1+2i", "1_",
    "-", "+", "'\\q'", "1x", "0x1.8", "1_0i", "'", "1..2", "0o8", "1.5.5", "0_7", "_1", "'\\u12'", "'\\400'",
)  # fmt: skip
LAYOUTS = (
    "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00", "Mon Jan _2 15:04:05 MST 2006",
    "3:04:05.000 PM", "Monday, 02-Jan-06 pm", "002 __2 _2006 Month Mondays", "05,999 .00 .9 -0700 -07:00:00",
    "Z070000 Z07 -07", "January 1 06", "20060102150405", "Janet MSTx 0 9 .0001", "2",
)  # fmt: skip
VERBS = "vvvsssqqxXdTtcUobeEfFgGwz%Oé!"
RANDOM_BYTES = ("\x00", "\x7f", "\x1b", "\udcff", "\udcc3", "\u200b", "\ufeff", "\U0001f600", "\U0001d4b3")


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Generator:
    """One template. `wild` is the chance of each choice to be ill-typed or odd."""

    def __init__(self, random: Random, *, data: bool = False) -> None:
        self.random = random
        self.data = data
        self.wild = random.choice((0.0, 0.02, 0.05, 0.15))
        self.variables = ["$"]
        self.loops = 0
        self.level = 0  # templates may call those that come later in NAMES only

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def template(self) -> str:
        parts = [self.nodes(3)]
        if self.chance(0.2):
            parts += [self.define() for _ in range(self.random.randint(1, 2))]
            self.random.shuffle(parts)
        return "".join(parts)

    # Text and actions

    def nodes(self, depth: int) -> str:
        return "".join(self.node(depth) for _ in range(self.random.randint(0 if depth < 3 else 1, 3)))

    def node(self, depth: int) -> str:
        kinds: list[tuple[int, Callable[[int], str]]] = [(5, self.text), (8, self.action)]
        if depth > 0:
            kinds += [(2, self.branch), (2, self.loop), (1, self.assignment), (1, self.other)]
        weights, makers = zip(*kinds, strict=True)
        return self.random.choices(makers, weights)[0](depth)

    def text(self, _depth: int) -> str:
        return "".join(self.pick(*TEXTS) for _ in range(self.random.randint(1, 3)))

    def braces(self, inside: str) -> str:
        left = self.pick("{{", "{{", "{{ ", "{{- ", "{{-\n", "{{\t")
        right = self.pick("}}", "}}", " }}", " -}}", "\t-}}", "\n}}")
        return left + inside + right

    def space(self) -> str:
        return self.pick(" ", " ", " ", " ", "  ", "\t", "\n", " \r\n ")

    def action(self, depth: int) -> str:
        return self.braces(self.pipeline(min(depth, 2)))

    def branch(self, depth: int) -> str:
        keyword = self.pick("if", "if", "with")
        mark = len(self.variables)
        parts = [self.braces(f"{keyword} {self.declared(depth)}"), self.nodes(depth - 1)]
        while self.chance(0.2):
            parts += [self.braces(f"else {keyword} {self.pipeline(1)}"), self.nodes(depth - 1)]
        if self.chance(0.4):
            parts += [self.braces("else"), self.nodes(depth - 1)]
        del self.variables[mark:]
        return "".join(parts) + self.braces("end")

    def loop(self, depth: int) -> str:
        mark = len(self.variables)
        names = [self.pick("$i", "$e", "$k") for _ in range(self.random.randint(0, 2))]
        known = set(names) <= set(self.variables) or self.chance(self.wild)
        assigns = "" if not names else "=" if known and self.chance(0.4) else ":="
        head = self.braces(f"range {', '.join(names)} {assigns} {self.iterable()}")
        self.variables += names
        self.loops += 1
        body = self.nodes(depth - 1)
        if self.chance(0.2):
            body += self.braces(f"if {self.pipeline(1)}") + self.braces(self.pick("break", "continue"))
            body += self.braces("end")
        self.loops -= 1
        otherwise = self.braces("else") + self.nodes(depth - 1) if self.chance(0.3) else ""
        del self.variables[mark:]
        return head + body + otherwise + self.braces("end")

    def iterable(self) -> str:
        if self.chance(2 * self.wild):
            return self.pick(
                ".", "$", ".Name", "true", "1.5", "nil", "(index .Name 0)", ".missing", ".i", '"x"'
            )
        if self.data:
            return self.pick(".l", ".m", ".m.n", "$.l", "$.m", "3", "$.i")
        return self.pick(
            ".ContainerLabels", "$.ContainerArgs", "$.ContainerEnv", "$.Config", "3", "0", "(len $.Name)",
            '(split $.Command " ")', "$.ContainerLabels.none", "$.ContainerCreated.Month", "-1",
            "($.ExtraAttributes nil)", "$.ContainerLabels", '(split $.ImageName "/")',
        )  # fmt: skip

    def declared(self, depth: int) -> str:
        if not self.chance(0.3):
            return self.pipeline(min(depth, 2))
        name = self.pick("$v", "$w")
        known = name in self.variables or self.chance(self.wild)
        text = f"{name} {'=' if known and self.chance(0.4) else ':='} {self.pipeline(1)}"
        self.variables.append(name)
        return text

    def assignment(self, _depth: int) -> str:
        text = self.braces(f"{(name := self.pick('$v', '$w', '$x'))} := {self.pipeline(2)}")
        self.variables.append(name)
        return text

    def other(self, depth: int) -> str:
        match self.random.randint(0, 5):
            case 0:
                return "{{/*" + self.pick("", " c ", "*", "\n", "}}") + "*/}}"
            case 1:
                return "{{- /* c */ -}}" + self.text(0)
            case 2:
                return self.braces(self.pick("break", "continue")) if self.loops or self.chance(0.1) else ""
            case 3 | 4:
                return self.call_template()
        name = self.later_name()
        inner = Generator(self.random, data=self.data)
        inner.level = NAMES.index(name) + 1 if name in NAMES else 9
        head = self.braces(f'block "{name}" {self.pipeline(1)}')
        return head + inner.nodes(depth - 1) + self.braces("end")

    def later_name(self) -> str:
        return "zeta" if self.chance(self.wild) else self.random.choice((*NAMES[self.level : 3], "last"))

    def call_template(self) -> str:
        name = self.later_name()
        quoted = self.pick(f'"{name}"', f'"{name}"', f"`{name}`")
        return self.braces(f"template {quoted} {self.pick('', '.', self.pipeline(1))}")

    def define(self) -> str:
        level = self.random.randint(0, 2)
        inner = Generator(self.random, data=self.data)
        inner.level = level + 1
        name = NAMES[level] if self.chance(0.95) else "log-tag"
        inner.level = 9 if name == "log-tag" else inner.level
        return self.braces(f'define "{name}"') + inner.nodes(1) + self.braces("end")

    # Pipelines

    def pipeline(self, depth: int) -> str:
        text = self.command(depth)
        while self.chance(0.15):
            text += self.space() + "|" + self.space() + self.piped(depth)
        return text

    def command(self, depth: int) -> str:
        if self.chance(self.wild):
            return self.odd(depth)
        return self.random.choice(
            (self.string, self.string, self.string, self.number, self.boolean, self.any)
        )(depth)

    def piped(self, depth: int) -> str:
        """A function that gets one argument more."""
        string, number = self.argument(self.string, depth), self.argument(self.number, depth)
        if not self.chance(3 * self.wild):
            return self.pick(
                "lower", "upper", "title", "json", "len", "html", "js", "urlquery", "not", "print", "println",
                f"printf {self.form()}", f"split {string}", f"eq {string}", f"and {string}", f"or {string}",
                f"printf {self.form()} {number}", f"print {string}",
            )  # fmt: skip
        return self.pick(
            "lower", "upper", "title", "json", "len", "html", "js", "urlquery", "not", "print", "println",
            f"printf {self.form()}", "truncate", f"truncate {string}", f"split {string}", f"eq {string}",
            f"index {string}", f"pad {string} 1", f"and {string}", f"or {string}", f"lt {number}", "call",
            "3", f"join {string}", ".Name", "$", f"print {number}", "printf", ".ExtraAttributes", '"x"',
            "slice",
        )  # fmt: skip

    def argument(self, make: Callable[[int], str], depth: int) -> str:
        """An operand: one of another type at times, in parentheses when it has to be."""
        if self.chance(self.wild):
            make = self.random.choice((self.string, self.number, self.boolean, self.any, self.odd))
        text = make(depth - 1)
        if self.chance(0.05):
            text = f"({text})" + self.pick("", ".x", ".Name", ".a.b")
        return f"({text})" if re.search(r"[ \n\t|]", text) and text[:1] not in "\"`('" else text

    def form(self) -> str:
        """A format for printf."""
        parts = []
        for _ in range(self.random.randint(1, 3)):
            flags = "".join(self.pick(*"+-# 0") for _ in range(self.random.choice((0, 0, 0, 1, 2))))
            width = self.pick("", "", "", "5", "12", "*", "[1]", "[2]*", "0", "[9]", "[", "[x]", "07")
            precision = self.pick("", "", "", ".2", ".0", ".", ".*", ".[1]*", ".12", ".[2]")
            parts.append(
                f"%{flags}{width}{precision}{self.random.choice(VERBS)}{self.pick('', ' ', '|', '%%')}"
            )
        return f'"{"".join(parts)}"' if self.chance(0.97) else f'"{"".join(parts)}%"'

    def string(self, depth: int) -> str:
        if depth <= 0 or self.chance(0.4):
            return self.plain_string()
        one, two = self.argument(self.string, depth), self.argument(self.string, depth)
        number = self.argument(self.number, depth)
        return self.pick(
            f"lower {one}", f"upper {one}", f"title {one}", f"truncate {one} {number}",
            f"pad {one} {number} 2", f"print {one} {number}", f"println {one} {two}",
            f"printf {self.form()} {one} {number}",
            f"printf {self.form()} {self.argument(self.any, depth)}", f"html {one}", f"js {one}",
            f"urlquery {one} {two}", f"json {self.argument(self.any, depth)}", f"slice {one} {number}",
            f"slice {one} 1 {number}", f"or {one} {two}", f"and {one} {two}",
            f"join (split {one} {two}) {one}", f"index (split {one} {two}) 0",
            f"{self.argument(self.any, depth)}", f"printf {one} {two}",
        )  # fmt: skip

    def plain_string(self) -> str:
        if self.data:
            return self.pick(".s", ".m.s", "$.s", ".u", *LITERALS)
        return self.pick(
            *(f".{name}" for name in STRINGS), *(f"$.{name}" for name in STRINGS[:4]), *LITERALS,
            *(f".ContainerLabels.{label}" for label in ("a", "b", "tier", "_x", "none")),
            *(f'(index .ContainerLabels "{label}")' for label in LABELS), ".Config.tag",
            '(index .Config "x")', f'(.ContainerCreated.Format "{self.pick(*LAYOUTS)}")',
            "(index .ContainerArgs 0)", "(.ExtraAttributes nil).a", "$.ContainerName",
            ".ContainerCreated.Month",
        )  # fmt: skip

    def number(self, depth: int) -> str:
        if depth <= 0 or self.chance(0.6):
            return self.pick(*SMALL, *(NUMBERS if self.chance(0.5) else ()))
        inner = self.argument(self.any, depth)
        if self.data:
            return self.pick(f"len {inner}", ".i", ".f", ".m.i", "index .l 0")
        part = self.pick(*TIME_PARTS)
        return self.pick(
            f"len {inner}", f".ContainerCreated.{part}", "index .Name 0", ".ContainerCreated.Year"
        )

    def boolean(self, depth: int) -> str:
        if depth <= 0 or self.chance(0.2):
            return self.pick("true", "false", ".ContainerCreated.IsZero")
        one, two = self.argument(self.any, depth), self.argument(self.any, depth)
        string, other = self.argument(self.string, depth), self.argument(self.string, depth)
        function = self.pick("eq", "ne", "lt", "le", "gt", "ge")
        return self.pick(
            f"{function} {string} {other}", f"{function} {one} {two}", f"not {one}",
            f"eq {string} {other} {two}", f"and {one} {two}", f"or {one} {two}",
            f"{function} {self.argument(self.number, depth)} 3",
            f"{function} {self.argument(self.number, depth)} {self.argument(self.number, depth)}",
        )  # fmt: skip

    def any(self, depth: int) -> str:
        if self.chance(0.3):
            return self.random.choice((self.string, self.number, self.boolean))(depth)
        if self.data:
            return self.pick(
                ".", "$", ".m", ".l", ".n", ".m.n", ".b", ".i", ".f", "$.m.l", ".x.y", "nil", "(index .l 1)"
            )
        return self.pick(
            *(f".{name}" for name in FIELDS), ".", "$", *self.variables, "nil", "(.ExtraAttributes nil)",
            '(slice .ContainerArgs 1)', '(split .Name "-")', ".ContainerCreated.Weekday",
            "(slice .ContainerArgs 0 1)", ".ContainerCreated.UTC", "(.ContainerCreated.Add 90061000000001)",
        )  # fmt: skip

    def odd(self, depth: int) -> str:
        """What Go refuses, mostly."""
        one = self.pick(*(f".{name}" for name in FIELDS))
        return self.pick(
            ".FullName", ".name", "$.Nope", ".Name.x", ".ContainerCreated.wall", ".ContainerCreated.Date",
            "$nope", "nil", ".ExtraAttributes", "nope .Name", f"lower {one} {one}", "lower",
            "truncate .Name", "print .Name (", ".ID 1", "true 1", '"a" "b"', ".ContainerLabels.a 1",
            ".ContainerLabels.none.x", ".Name.", "..", "|", "", ".ContainerLabels.com.docker",
            f"{one}{self.pick(*'!#,;+*/%~@')}", "(.Name).x", "(1).x", '"a".x',
            f"index {one} {self.pick('1', 'nil', '1.5', '99', '-1', '`a`', '.ContainerLabels.none')}",
            "len 3", f"slice {one} {self.pick('9', '2 1', '0 1 1', '0 1 2 3', 'nil')}", f"join {one} 1",
            "len nil", f"call {one}", "call nil", f"lt {one} 1", "eq", "eq 1", "lt true false",
            "index nil 1", "index 1i 0", f"{one} | {one}", self.pick(*BAD_NUMBERS),
            f"print {self.pick(*BAD_NUMBERS)}", "'a' | 3", "$ := 1", "$x, $y := 1",
            ".ContainerCreated.ISOWeek", ".ContainerCreated.Zone", ".ContainerCreated.Format 3",
            f"print nil {one}", "html nil", "json nil", "json 1i", "not nil", "printf nil", "printf 3",
            ".\n\nName", f"eq . {one}", f"ne {one} nil", f"eq {one} {one}", "ExtraAttributes",
            ".ExtraAttributes `a`", "and", "or 1",
            f"printf `%v %d %s %q %x %T %+v %#v` {one} {one} {one} {one} {one} {one} {one} {one}", "\\",
            "\x01", "printf `%#v %+d % x %#x %#q %+q` . . . . . .", '"unclosed', "`unclosed", '"\\q"',
            '"\n"', "/* */",
            f"printf `%6.2f|%-8v|%08d|%+.3e` {self.argument(self.number, depth)} {one} 3 2.5", "end",
            "else", "if",
        )  # fmt: skip


def template(random: Random, *, data: bool = False) -> bytes:
    """A template, damaged in one case of five."""
    text = Generator(random, data=data).template()
    if random.random() < 0.2:
        for _ in range(random.randint(1, 3)):
            text = damaged(random, text)
    return encoded(text)


def damaged(random: Random, text: str) -> str:
    at = random.randint(0, len(text))
    end = min(len(text), at + random.randint(1, 6))
    match random.randint(0, 5):
        case 0:
            return text[:at] + text[end:]
        case 1:
            return text[:end] + text[at:]
        case 2:
            return text[:at] + random.choice(RANDOM_BYTES) + text[at:]
        case 3:
            return text[:at] + random.choice("{}()|.$\"'`=:,-+ \n09ax") + text[at:]
        case 4:
            return text[:at] + random.choice("{}()|.$\"'`=:,-+ \n09ax") + text[at + 1 :]
    return text[:at]
