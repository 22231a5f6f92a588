"""The level in the header of a text line: its prefix, its bracket, its column.

Every scanner is one regular expression anchored at the start of the line. A header is a run of columns
(times, numbers, ids, hosts, brackets), skipped possessively: once passed, a column is never tried again,
so a scan is linear. The word must then stand the way programs print levels:

    INFO ...   INFO: ...   INFO/main ...       upper case and alone
    [info]   (warn)   <error>   [core:error]   any case, enclosed
    error: ...   Info   ...   info\\t...        any case, followed by a colon, a pipe, a tab or two blanks
    [12:34:56 INF] ...                         upper case, behind a time in one bracket
    W PackageManager: ...                      a letter, behind a time
"""

import re

# A header (times, host, process, thread, logger) is shorter than this in every format known here.
HEADER_LENGTH = 200

_WORDS = {
    "trace": "trace trc trce finest finer verbose vrb",
    "debug": "debug dbg dbug debu fine",
    "info": "info inf information informational notice note log system",
    "warn": "warn warning wrn",
    "error": "error err erro eror severe critical crit alert fail",
    "fatal": "fatal ftl fata emerg emergency panic dpanic pani",
}
LEVEL_OF_WORD = {word: level for level, words in _WORDS.items() for word in words.split()}
LEVEL_OF_LETTER = {
    "V": "trace", "D": "debug", "I": "info", "W": "warn", "E": "error", "F": "fatal",
    "C": "error", "N": "info",
}  # fmt: skip
# Redis marks its levels by one character (src/server.c, serverLogRaw).
_LEVEL_OF_MARK = {".": "debug", "-": "debug", "*": "info", "#": "warn"}
# Every spelling that is met, so that one lookup decides; others are lowered first.
LEVEL_OF = {
    spelling: level
    for word, level in LEVEL_OF_WORD.items()
    for spelling in (word, word.upper(), word.title())
} | LEVEL_OF_LETTER
# Syslog severities (RFC 5424, table 2), which are GELF's `level` too.
LEVEL_OF_SEVERITY = ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug")

# Words that also begin ordinary sentences ("LOG", "FINE", "FAIL") count only with a colon or in a bracket.
_PROSE = {"fine", "finer", "finest", "log", "system", "note", "fail", "alert"}
_BY_LENGTH = sorted(LEVEL_OF_WORD, key=len, reverse=True)
_ANY = "(?i:" + "|".join(_BY_LENGTH) + ")"
_UPPER = "(?:" + "|".join(word.upper() for word in _BY_LENGTH if word not in _PROSE) + ")"

_ENCLOSED = rf"[\[(<] (?:\w{{1,20}}:)?+ ({_ANY}) [\])>]"
_TIME_AND_WORD = rf"\[ [\d\-/:.,TZ+ ]{{5,40}}+ (?: (?<=[\s:]) | [\s:] ) ({_UPPER}) \b"
_LEVEL = rf"""(?:
      ({_UPPER}) (?=[\s:\]|,/()\[>]|\Z)
    | {_ENCLOSED}
    | ({_ANY}) (?: :(?!:) | \t | [ ][ ] | [ ]?\| | [ ]-[ ] | ,[ ] )
    | {_TIME_AND_WORD}
)"""
# A bracket that is passed over: it holds no level.
_BRACKET = rf"""(?! {_ENCLOSED} | {_TIME_AND_WORD} )
    (?: \[[^\]]{{1,80}}+\] | \([^)]{{1,80}}+\) | \{{[^}}]{{1,80}}+\}} | <[^>]{{1,80}}+> )"""
_COLUMN = rf"""(?: (?:
      \d[^\s\["=]*+
    | {_BRACKET}
    | [-|:*\#]{{1,3}}+
    | (?! {_ANY} \b ) (?:
          [^\s\[\]()"=]*\d[^\s\["=]*+
        | [A-Z]{{2,}}+(?![\w:])
        | (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b
        | [\w.$/\-]{{1,60}}+(?=[ ]+[-|])
      )
) [\s,|:]*+ )"""

# What most programs print: a date, a time, the level. Tried first, because it is many times quicker.
_USUAL = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d[\d.,]*+(?:Z|[+-]\d\d:?\d\d)?+[\]:]?[ \t]{1,3}+"
    r"\[?([A-Z]{3,8})(?=[\s:\]|,/])"
)
# A line with no time: the level comes first, or after short brackets; or glog's and Ruby's letter.
_PREFIX = re.compile(
    rf"""[ ]{{0,8}}+ (?: {_BRACKET} [ ]*+ ){{0,3}}+ {_LEVEL}
    | ([IWEF])\d{{4}}(?:\d{{4}})?+[ ]\d\d:\d\d:\d\d
    | ([DIWEF]),[ ]\[\d{{4}}
    | npm[ ](ERR|WARN|error|warn)\b
    """,
    re.VERBOSE,
)
# A line with a time in its first columns.
_TIMED = re.compile(
    rf"""(?= {_COLUMN} ) (?= .{{0,60}}? (?: \d\d?:\d\d | \d{{4}}[-/.]\d\d | \d{{6}} ) )
    (?:
        \d{{1,9}}:[MSCX][ ]\d\d[ ]\w{{3}}[ ]\d{{4}}[ ][\d:.]{{8,15}}[ ]([.\-*\#])[ ]
      | {_COLUMN}{{1,14}}+ (?: {_LEVEL} | (?<=\d[ ]) ([VDIWEF])[ ] (?=[^\s:]{{1,60}}[ ]*:) )
    )""",
    re.VERBOSE,
)
# BSD syslog (RFC 3164): time, host, tag, and then the program's own prefix.
_SYSLOG = re.compile(
    rf"[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d \S{{1,80}}+ [^\s:\[]{{1,60}}+(?:\[\d+\])?+: (?:({_ANY}):)?+"
)
_PRIORITY = re.compile(r"<(\d{1,3})>(?:\d |[A-Z][a-z]{2} )")
_LOGFMT = re.compile(
    r"""(?: (?!(?:level|lvl|severity|loglevel)=) [\w.@\-/]++ =
        (?: "(?:[^"\\]|\\.)*+" | [^\s"]*+ ) [ \t]++ ){0,24}+
    (?:level|lvl|severity|loglevel)= "?+ (\w+)""",
    re.VERBOSE,
)
_LOGFMT_START = re.compile(r"[A-Za-z_@][\w.@\-/]*+=")
# nginx and Apache, common and combined, with whatever columns in front (virtual host, forwarded-for).
_ACCESS = re.compile(r'[^\["]{1,200}+\[[^\]"]{10,40}+\] "[^"\\]*+(?:\\.[^"\\]*+)*+" ([1-5])\d\d(?= |\Z)')


def level_of_text(line: str) -> str | None:
    """The level that a text line (not an empty one) declares, one of parsers.event.LEVELS, or None."""
    if '] "' in line and (access := _ACCESS.match(line)):
        return _LEVEL_OF_STATUS[access[1]]
    if (usual := _USUAL.match(line)) and (level := LEVEL_OF.get(usual[1])):
        return level
    if line[0] in _DIGITS:
        return _found(_TIMED.match(line, 0, HEADER_LENGTH))
    if match := _PREFIX.match(line, 0, HEADER_LENGTH):
        return _found(match)
    if line[0] == "<":
        return _of_priority(_PRIORITY.match(line))
    if _LOGFMT_START.match(line):
        return _found(_LOGFMT.match(line))
    return _found(_SYSLOG.match(line) or _TIMED.match(line, 0, HEADER_LENGTH))


_DIGITS = frozenset("0123456789")
_LEVEL_OF_STATUS = {"1": "info", "2": "info", "3": "info", "4": "warn", "5": "error"}


def _found(match: re.Match[str] | None) -> str | None:
    if match is None or match.lastindex is None:
        return None
    word = match[match.lastindex]
    return LEVEL_OF.get(word) or LEVEL_OF_WORD.get(word.lower()) or _LEVEL_OF_MARK.get(word)


def _of_priority(match: re.Match[str] | None) -> str | None:
    """RFC 5424 6.2.1: the priority is facility * 8 + severity, at most 191."""
    if match is None or int(match[1]) > 191:
        return None
    return LEVEL_OF_SEVERITY[int(match[1]) & 7]
