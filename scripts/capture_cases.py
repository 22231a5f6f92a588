"""What scripts/capture.py captures: every case that a receiver of Docker's log drivers has to get right."""

from dataclasses import dataclass, field

HELLO = b"hello one\nhello two\nhello three\n"
LONG = "".join(f"{i:08d} " for i in range(0, 40_960, 9))[:40_960].encode()
LINE_120K = "".join(f"{i:08d} " for i in range(0, 120_000, 9))[:120_000].encode()
BAD_UTF8 = (
    b"ok before\n\xff\xfe raw bytes \x80\n\xc3( bad continuation\n"
    b"cut \xed\x95\n\xed\xa0\x80 surrogate\nok after\n"
)
EMPTY = b"first\n\n\nafter two empty\n \n\t\n\nlast\n"
JSON_LINES = b'{"level":"error","msg":"no route","code":502}\n{"msg":"nested","a":{"b":[1,2]}}\n{"broken": \n'
TRACE = (
    b"Traceback (most recent call last):\n"
    b'  File "/app/main.py", line 3, in <module>\n    run()\n\nValueError: \xec\x9e\x98\xeb\xaa\xbb\n'
)
COMPOSE = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
    "com.docker.compose.project.working_dir": "/srv/shop",
    "team": "red",
}


@dataclass(frozen=True)
class Case:
    """One container that prints `out` and `err` through a driver; the sidecar file says the rest."""

    name: str
    kind: str = "forward"  # forward, gelf-udp, gelf-tcp
    out: bytes = HELLO
    err: bytes = b""
    opts: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    tag: str = "{id12}"  # what the tag must be, with {id12}, {id}, {name} filled in
    extra: dict[str, str] = field(default_factory=dict)  # what labels and env must add to each record
    version: str = "20.10"
    unix: bool = False
    script: str = "cat /w/out; cat /w/err >&2"
    loses: str = (
        ""  # "empty" lines, "utf8" bytes or the "line" itself: lost inside Docker, known and expected
    )
    note: str = ""


def tagged(name: str, template: str, tag: str, **more: object) -> Case:
    return Case(f"fwd-tag-{name}", opts={"tag": template}, tag=tag, **more)  # type: ignore[arg-type]


def by_key(*names: str) -> dict[str, str]:
    return {name: COMPOSE[name] for name in names}


DOCKER_LABELS = {key: value for key, value in COMPOSE.items() if key.startswith("com.docker.")}

CASES = [
    Case("fwd-default"),
    tagged("name", "{{.Name}}", "{name}"),
    tagged("fullid", "{{.FullID}}", "{id}"),
    tagged("path", "docker/{{.Name}}/{{.ImageName}}/{{.ID}}", "docker/{name}/busybox:1/{id12}"),
    tagged("literal", "a literal 한 tag", "a literal 한 tag"),
    tagged("label", '{{index .ContainerLabels "com.docker.compose.service"}}.x', "web.x", labels=COMPOSE),
    tagged("missing", '{{index .ContainerLabels "nothing"}}', "", note="a template may give an empty tag"),
    tagged("json", "{{json .ContainerLabels}}", '{{"a<b":"c & d"}}', labels={"a<b": "c & d"}),
    tagged("long", "{{.FullID}}" * 5, "{id}" * 5, note="over 255 bytes: a str16"),
    Case("fwd-labels", opts={"labels": "team"}, labels=COMPOSE, extra=by_key("team")),
    Case(
        "fwd-labels-regex", opts={"labels-regex": r"^com\.docker\."}, labels=COMPOSE, extra=DOCKER_LABELS
    ),
    Case("fwd-env", opts={"env": "STAGE"}, env={"STAGE": "prod", "B": "no"}, extra={"STAGE": "prod"}),
    Case("fwd-env-regex", opts={"env-regex": "^APP_"}, env={"APP_A": "1", "B": "2"}, extra={"APP_A": "1"}),
    Case(
        "fwd-label-env-same-key", opts={"labels": "K", "env": "K"}, labels={"K": "label"}, env={"K": "env"},
        extra={"K": "env"}, note="env wins",
    ),
    Case(
        "fwd-label-collide", opts={"labels": "log,source"}, labels={"log": "the label", "source": "me"},
        extra={"log": "the label", "source": "me"}, loses="line",
        note="the printed line never leaves the daemon",
    ),
    Case(
        "fwd-label-partial", opts={"labels": "partial_message"}, labels={"partial_message": "no"},
        extra={"partial_message": "no"}, note="looks like a partial and is none",
    ),
    Case("fwd-both-streams", out=b"out 1\nout 2\n", err=b"err 1\nerr 2\n"),
    Case("fwd-partial-40k", out=b"before\n" + LONG + b"\nafter\n"),
    Case("fwd-partial-120k", out=LINE_120K + b"\n"),
    Case("fwd-partial-exact", out=LONG[:16_384] + b"\nafter\n", note="one full part and an empty last one"),
    Case("fwd-partial-unfinished", out=LONG[:20_000], note="the last part too says partial_last=false"),
    Case("fwd-partial-utf8-cut", out="가".encode() * 6_000 + b"\n", note="the cut is inside a character"),
    Case(
        "fwd-partial-interleaved", out=LONG + b"\n", err=LONG[::-1] + b"\n",
        script="cat /w/out & cat /w/err >&2; wait",
    ),
    Case("fwd-no-newline", out=b"first\nno newline", note="a partial that nothing closes"),
    Case("fwd-nothing", out=b"", note="a connection without a byte"),
    Case("fwd-bad-utf8", out=BAD_UTF8),
    Case("fwd-empty-lines", out=EMPTY),
    Case("fwd-nul", out=b"a\0b\n\0\n"),
    Case("fwd-ansi", out=b"\x1b[31mred\x1b[0m\rover\r\nplain\r\n"),
    Case("fwd-json", out=JSON_LINES),
    Case("fwd-trace", out=b"", err=TRACE),
    Case("fwd-subsecond", opts={"fluentd-sub-second-precision": "true"}),
    Case("fwd-ack", opts={"fluentd-request-ack": "true"}),
    Case("fwd-async", opts={"fluentd-async": "true"}, script="cat /w/out; sleep 1"),
    Case(
        "fwd-ack-async-subsecond", script="cat /w/out; sleep 1",
        opts={"fluentd-request-ack": "true", "fluentd-async": "true", "fluentd-sub-second-precision": "true"},
    ),
    Case("fwd-nonblocking", opts={"mode": "non-blocking"}),
    Case("fwd-unix", unix=True),
    Case("d26-fwd-ack", opts={"fluentd-request-ack": "true"}, version="26.1"),
    Case("d26-fwd-partial", out=LONG + b"\n", version="26.1"),
    Case("d26-fwd-bad-utf8", out=BAD_UTF8, version="26.1"),
    Case("gelf-udp-gzip", "gelf-udp"),
    Case("gelf-udp-gzip9", "gelf-udp", opts={"gelf-compression-level": "9"}),
    Case("gelf-udp-zlib", "gelf-udp", opts={"gelf-compression-type": "zlib"}),
    Case("gelf-udp-none", "gelf-udp", opts={"gelf-compression-type": "none"}),
    Case("gelf-udp-level0", "gelf-udp", opts={"gelf-compression-level": "0"}, note="stored, yet still gzip"),
    Case(
        "gelf-udp-labels-env", "gelf-udp", opts={"labels": "team,id", "env": "STAGE", "tag": "{{.Name}}"},
        labels={**COMPOSE, "id": "forbidden by GELF"}, env={"STAGE": "prod"}, tag="{name}",
        extra={"_team": "red", "_id": "forbidden by GELF", "_STAGE": "prod"},
    ),
    Case("gelf-udp-both-streams", "gelf-udp", out=b"out 1\nout 2\n", err=b"err 1\nerr 2\n"),
    Case(
        "gelf-udp-40k-none", "gelf-udp", out=b"before\n" + LONG + b"\nafter\n",
        opts={"gelf-compression-type": "none"}, note="three messages without a mark that they are one line",
    ),
    Case("gelf-udp-bad-utf8", "gelf-udp", out=BAD_UTF8, loses="utf8"),
    Case("gelf-udp-empty-lines", "gelf-udp", out=EMPTY, loses="empty"),
    Case("gelf-udp-nul-ansi", "gelf-udp", out=b"a\0b\n\x1b[31mred\x1b[0m\r\n"),
    Case("gelf-tcp-default", "gelf-tcp"),
    Case("gelf-tcp-both-streams", "gelf-tcp", out=b"out 1\nout 2\n", err=b"err 1\nerr 2\n"),
    Case(
        "gelf-tcp-labels-regex", "gelf-tcp", opts={"labels-regex": r"^com\.docker\."}, labels=COMPOSE,
        extra={f"_{key}": value for key, value in DOCKER_LABELS.items()},
    ),
    Case("gelf-tcp-40k", "gelf-tcp", out=LONG + b"\n"),
    Case("d26-gelf-udp-gzip", "gelf-udp", version="26.1"),
    Case("d26-gelf-tcp", "gelf-tcp", version="26.1"),
]  # fmt: skip
