"""Texts, values and names that lines can have though nobody expects it, for generated questions."""

# ruff: noqa: RUF001, E501 - letters that look like others are the point, and lists of them read better whole

TOKENS = (
    "timeout", "Time-Out", "GET", "502", "a.b", "a:b", "a'b", "it’s", "1,234.5", "1.2.3.4", "::1", "foo_bar",
    "__init__", "x=1", '{"a":1}', "e\u0301te\u0301", "été", "İi", "ıI", "ſs", "Kk", "ΟΔΟΣ", "οδος", "ß", "ẞ",
    "ﬁ", "한국어", "가a나", "한1글", "ไทย", "日本語", "ひらがな", "カタカナ", "ｶﾅ", 'א"ב', "ע'", "👨‍👩‍👧", "👍🏽", "🇩🇪",
    "❤️", "\u200b", "a\u200bb", "soft\u00adhyphen", "nb\u00a0sp", "na\u202frrow", "\u2028", "\x85", "\x1c",
    "\x1b[0m", "\x7f", "\x00", "*", "?", "a*b", "a?b", "\\", "C:\\x\\y", "[x]", "(y)", "%_", "~", "#", "@me",
    "-dash", "--opt", "/path/to", "//", "/re/", "http://h:1/p?q=1&r=2", '"quoted"', "'", "`", "$HOME", "^a",
    "b$", "a|b", "A" * 254, "B" * 255, "C" * 256, "d" * 300, "E9" * 5000, "0x1F", "1e5", "1_000", "٣٤", "Ⅷ",
    "ǅ", "\u0345", "\u1fbe", "µs", "μs", "ﷺ", "\ufeff", "\ufffd", "\U0010ffff", "\t", "\n", "\r\n", " ", "  ",
    "and", "OR", "AND", "status:500", "level=error", "a", "I", "S", "k", "é", "Ж", "Ц",
)  # fmt: skip

KEYS = (
    "status", "n", "a", "a.b", "a.b.c", "z", "user", "k-v", "@x", "_p", "ünï", "Status", "a b", "", "level",
    "message", "*", 'k"q', "tag", "x.y",
)  # fmt: skip
VALUES = (
    200, "200", 200.0, -0.0, 0, 1, -1, 1.5, "1.50", 1e16, 1e-7, 1e300, 2**53, 2**53 + 1, 2**64, 2**70, -(2**63),
    True, False, "true", "True", None, "", "null", " ", "x", "X", "two words", "İ", "ſ", "K", "ß", "Σ", "ς",
    'a"b', "a\\b", "a\0b", "*", "a*", "x" * 1024, "x" * 1025, "é" * 600, "🚀" * 600, [], [1, "1", 1.0],
    [None, "a", [["b"]]], {"z": 1}, {"z": {"y": "deep"}}, [{"z": 1}, {"z": "2"}], "0x10", "1e3", ".5", "5.",
    "+5", "1_0", "٣", "nan", "inf", "-inf", "1" * 400, "1" * 401, "\ud7a3", [True, "true"], "/a/b", "http://x",
    "5xx",
)  # fmt: skip
PATHS = (
    "status", "n", "a", "a.b", "a.b.c", "z", "user.z", "user", "k-v", "_p", "ünï", "level", "a.z", "z.z", "x.y",
    "status.z", "n.z.y", "none",
)  # fmt: skip
BOUNDS = (
    "0", "1", "200", "1.5", "-1", "1e16", str(2**53), str(2**53 + 1), str(2**64), "9e400", "5.", ".5", "9" * 399,
)  # fmt: skip
REGEXES = (
    "^$", ".", "\\s", "\\w{5}", "^a", "[[:punct:]]", "\\pL+", "(?-i)A", "s", "k", "\\x00", "a|b$", "\\bit",
    "(a+)+$", "\\n", "a.b", "(?s)a.b", "\\d+\\.\\d+", "İ", "[^\\x00-\\x7f]",
)  # fmt: skip
LABELS = {
    "team": "b", "env": "", "a.b/c": "x=y", "k y": "v w", "star*": "*", "x": "y" * 1100, "ünï": "Ü",
}  # fmt: skip
ASKED_LABELS = (
    "team", "team=", "team=b", "a.b/c=x=y", "a.b/c", "k y=v w", "star*", "star*=*", "env", "x", f"x={'y' * 1100}",
    "ünï=Ü", "a=1", "a.b=2", "a.b", "none",
)  # fmt: skip
TAGS = ("docker.*", "docker.api", "*", "**", "t*", "t" * 1500, "t" * 1100 + "*", "docker", "d*")
NAMES = (
    "level", "service", "container", "host", "stream", "tag", *(f"label.{key}" for key in LABELS), "label.none",
    *PATHS, "@x", "a b", "*", 'k"q', "field.level", "Status",
)  # fmt: skip
