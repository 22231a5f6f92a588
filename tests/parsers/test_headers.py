"""Made after what these programs print; none is a captured line."""

import pytest

from parsers.event import LEVELS
from parsers.headers import LEVEL_OF, LEVEL_OF_SEVERITY, level_of_text

DECLARED = [
    (
        "info",
        "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection"
        "@774] - Notification time out: 3200",
    ),
    ("warn", "2015-07-29 19:04:12,394 - WARN  [/10.10.34.11:3888:QuorumCnxManager$Listener@493] - x"),
    ("info", "2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created"),
    (
        "info",
        "- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.363779 R02-M1-N0-C:J12-U11 "
        "RAS KERNEL INFO instruction cache parity error corrected",
    ),
    (
        "fatal",
        "- 1117842440 2005.06.03 R23-M0-NE-C:J05-U01 2005-06-03-16.47.20.730545 R23-M0-NE-C:J05-U01 "
        "RAS KERNEL FATAL data storage interrupt",
    ),
    (
        "info",
        "2016-09-28 04:30:30, Info                  CBS    Loaded Servicing Stack v6.1.7601.23505 with Core",
    ),
    ("error", "ERROR:root:boom"),
    ("info", 'INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 200 OK'),
    ("error", "2026-11-24 01:02:03,456 - app.db - ERROR - failed"),
    ("error", '2026-11-24 01:02:03.456 UTC [1] ERROR:  relation "x" does not exist'),
    ("info", "2026-11-24 01:02:03.456 UTC [1] LOG:  checkpoint complete"),
    ("fatal", "2026-11-24 01:02:03.456 UTC [1] FATAL:  password"),
    ("warn", "2026-11-24T01:02:03.456789Z 0 [Warning] [MY-010068] [Server] CA"),
    ("info", "2026-11-24T01:02:03.456789Z 0 [System] [MY-010116] [Server] ready"),
    ("info", "1:M 24 Nov 2026 01:02:03.456 * Ready to accept connections"),
    ("warn", "1:C 24 Nov 2026 01:02:03.456 # Warning: no config"),
    ("error", "E1124 01:02:03.456789       1 reflector.go:138] failed"),
    ("error", "level=error msg=x"),
    ("warn", 'ts=2026-11-24T02:55:01Z caller=main.go:1 level=warn msg="a b"'),
    ("info", 'time="2026-11-24T02:55:02Z" level=info msg="level=error here"'),
    ("info", 'time="2026-11-24T02:55:02Z" msg="set level=debug now" level=info'),
    ("info", "2026-11-24T01:02:03.456Z\tINFO\tmain.go:1\tmsg"),
    ("info", "[2026-11-24T01:02:03Z INFO  app] msg"),
    ("info", "2026-11-24T01:02:03.4Z  INFO app: msg"),
    ("info", "INFO[0000] msg"),
    ("error", "[12:34:56 ERR] boom"),
    ("info", "info: Microsoft.Hosting.Lifetime[14]"),
    ("error", "fail: Microsoft.X[0]"),
    ("error", "crit: X[0]"),
    ("debug", "dbug: X[0]"),
    ("error", "[Wed Oct 11 14:32:52.123 2000] [core:error] [pid 1] x"),
    ("error", "2026/11/24 01:02:03 [error] 31#31: *1 open() failed"),
    ("fatal", "2026/11/24 01:02:03 [emerg] 1#1: bind()"),
    ("info", "2026-11-24 01:02:03.456 [info] <0.1.0> msg"),
    ("info", "01:02:03.456 [info] msg"),
    ("info", "I, [2026-11-24T01:02:03.456 #1]  INFO -- : msg"),
    ("info", "01:02:03,456 INFO  [org.jboss] (main) msg"),
    ("info", "[2026-11-24 01:02:03,456] INFO msg (kafka.Server)"),
    ("error", "24-Nov-2026 01:02:03.456 SEVERE [main] org.apache x"),
    ("info", "[2026-11-24 01:02:03,456] {file.py:12} INFO - msg"),
    ("info", "[2026-11-24 01:02:03 +0000] [1] [INFO] Starting gunicorn"),
    ("info", "2026-11-24T01:02:03.456Z [INFO]  agent: msg"),
    ("warn", "npm WARN deprecated x"),
    ("error", "npm ERR! code 1"),
    ("info", "[2026-11-24 01:02:03.456][1][info][main] [source/server.cc:1] x"),
    ("error", "<11>1 2026-11-24T01:02:03Z host app - - - msg"),
    ("error", "[app] ERROR boom"),
    ("warn", "WARNING: something"),
    ("error", "Error: Cannot find module 'x'"),
    ("info", "10:20:30.123 [main] INFO com.x - y"),
    ("info", "2026-11-24 01:02:03 | INFO     | app:main:1 - loguru"),
    ("debug", "2026-11-24 01:02:03.123 DEBUG 1 --- [main] x"),
    ("info", "Nov 24 01:02:03 web-1 app[12]: info: x"),
    ("info", "I20261124 01:02:03.456789 1 f.cc:1] x"),
    ("warn", '127.0.0.1 - - [24/Nov/2026:02:55:03 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"'),
    (
        "error",
        '2001:db8::7 - - [24/Nov/2026:02:55:02 +0000] "GET /info HTTP/1.1" 502 153 "-" "kube-probe/1.29"',
    ),
    ("info", 'example.com:80 1.2.3.4 - - [24/Nov/2026:02:55:02 +0000] "GET /a\\"b HTTP/1.1" 200 153'),
    ("info", "  INFO leading"),
    ("trace", "TRACE x"),
    ("warn", "W1124 01:02:03.456789       1 x.go:1] y"),
    ("error", "ERROR"),
    ("info", "2026-11-24 01:02:03 info: hi"),
    ("info", "NOTICE: hi"),
    ("info", "[Note] hi"),
    ("error", "2026-11-24 01:02:03+00:00 [ERROR] [Entrypoint]: x"),
    ("info", "2026-11-24 01:02:03+00:00 [Note] [Entrypoint]: x"),
    ("warn", "(WARN) x"),
    ("info", "2026-11-24 01:02:03,456 INFO supervisord started with pid 1"),
]

DECLARED_BY_NONE = [
    "134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component State Change: Component error",
    "[10.30 16:49:06] chrome.exe - proxy.cse.cuhk.edu.hk:5070 open through proxy error",
    "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: session closed "
    "for user root",
    "Jul  1 09:00:55 calvisitor-10-105-160-95 kernel[0]: IOThunderboltSwitch<0>(0x0)::listenerCallba"
    "ck - Thunderbolt HPD packet error",
    "0 errors, 2 warnings",
    "ERRORS: 0",
    "err=nil",
    "done err=nil",
    "GET /error?level=error HTTP/1.1",
    "http://x/ERROR/info",
    "Server started, no error found",
    "Information about the error follows",
    "warnings are errors",
    "error in state 6",
    "2026-11-24 01:02:03 error in state 6",
    "2026-11-24 01:02:03 Fine weather",
    "3 ERROR lines found",
    "LOG file opened",
    "log level=error configured",
    "ERROR_COUNT=0",
    "INFO=1",
    "std::error::Error",
    "error::kind",
    "    raise ValueError",
    "java.lang.IllegalStateException: x",
    "[main] starting",
    "a - b",
    "2026-11-24 01:02:03 I think that works",
    "Nov 24 01:02:03 web-1 app[12]: an error: x",
    "Warning signs",
    "",
    " ",
    "2026-11-24",
    "<191>",
    "<999>1 x",
    "[",
    "[]",
    '1.2.3.4 - - [24/Nov/2026:02:55:02 +0000] "GET / HTTP/1.1" 999 1',
    '1.2.3.4 - - [24/Nov/2026:02:55:02 +0000] "GET / HTTP/1.1" 5000 1',
    '1.2.3.4 - - [24/Nov/2026:02:55:02 +0000] "GET /error HTTP/1.1 500 1',
]


@pytest.mark.parametrize(("level", "line"), DECLARED)
def test_a_declared_level_is_read(level: str, line: str) -> None:
    assert level_of_text(line) == level


@pytest.mark.parametrize("line", DECLARED_BY_NONE)
def test_a_word_in_free_text_declares_nothing(line: str) -> None:
    assert level_of_text(line or " ") is None


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (100, "info"),
        (200, "info"),
        (304, "info"),
        (404, "warn"),
        (499, "warn"),
        (500, "error"),
        (599, "error"),
    ],
)
def test_an_access_log_declares_its_status(status: int, level: str) -> None:
    assert (
        level_of_text(f'::1 - - [24/Nov/2026:02:55:02 +0000] "GET /{"x" * 4000} HTTP/1.1" {status} 5')
        == level
    )


def test_every_spelling_is_one_of_our_levels() -> None:
    assert set(LEVEL_OF.values()) == set(LEVELS)
    assert set(LEVEL_OF_SEVERITY) <= set(LEVELS)
    assert [LEVEL_OF_SEVERITY[n] for n in (0, 2, 3, 4, 5, 6, 7)] == [
        "fatal", "fatal", "error", "warn", "info", "info", "debug",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "1 " * 50_000, "[" * 50_000, "- " * 50_000, "a=" * 50_000, 'a="\\' * 20_000, "12:00:00 " * 20_000,
        "[x] " * 20_000, 'x [01234567890] "' + "\\" * 50_000, "ERROR" * 20_000, "<1>" * 20_000, "A" * 100_000,
        "a-" * 50_000, "Jan 10 10:00:00 " + "x" * 100_000,
    ],
    ids=lambda line: line[:12],
)  # fmt: skip
def test_a_long_hostile_line_is_no_trouble(line: str) -> None:
    """Backtracking over any of these would not end within the test's time-out."""
    level_of_text(line)
