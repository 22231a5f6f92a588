"""The index template `logs-docker`: how Elasticsearch indexes the documents of docs.py.

Names are those of the Elastic Common Schema where it has one; what is only ours stands under `logdock`.
Only field types of the server's core are used, so that a server without its optional modules does too.
"""

from typing import Any

STREAM = "logs-docker-default"
TEMPLATE = "logs-docker"
PATTERN = "logs-docker-*"
VERSION = 2  # of all that is below; a server that has a newer one keeps it
ECS_VERSION = "8.11.0"  # the Elastic Common Schema that has all of our names

IGNORE_ABOVE = 1024  # characters; a longer keyword stays in the source but is found only by looking at it
FLATTENED_DEPTH = 20  # levels of nesting that `flattened` takes; a deeper object refuses the document
MAX_TERM_BYTES = 32_766  # Lucene's limit; `flattened` indexes "key NUL value" as one term

MAX_TOKEN = 8191
"""Characters up to which a token stays whole: four bytes each still fit Lucene's limit for a term.

Elasticsearch cuts at 255 by default, which would hide a word that crosses the cut from a search by part
of a word. `long_token` in docs.py marks the lines that even this limit cuts.
"""

# A page orders by time, then by journal order; see dsl.py. The last term only parts two journals.
_KEYWORD = {"type": "keyword", "ignore_above": IGNORE_ABOVE}
_EXACT = {"ignore_malformed": False}  # what answers are ordered by: a value left out would hide the line
_FLATTENED = {"type": "flattened", "ignore_above": IGNORE_ABOVE, "depth_limit": FLATTENED_DEPTH}


def is_indexed(text: str) -> bool:
    """Whether a keyword, or a value in a `flattened`, is short enough: Elasticsearch counts UTF-16 units."""
    if len(text) <= IGNORE_ABOVE // 2:
        return True
    return len(text.encode("utf-16-le", "surrogatepass")) <= 2 * IGNORE_ABOVE


def _object(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}


PROPERTIES: dict[str, Any] = {
    "@timestamp": {"type": "date_nanos"},
    # No scoring in logs, so no norms. Positions stay: they are what makes phrases work for people.
    "message": {"type": "text", "analyzer": "line", "norms": False},
    "event": _object(
        created={"type": "date_nanos", "index": False, **_EXACT},  # when it was read from the network
        sequence={"type": "long", "index": False, **_EXACT},  # only sorted by
        original={"type": "keyword", "index": False, "doc_values": False},  # only kept: it may be 1 MB
        kind=_KEYWORD,
        module=_KEYWORD,
        dataset=_KEYWORD,
    ),
    "ecs": _object(version=_KEYWORD),
    "data_stream": _object(type=_KEYWORD, dataset=_KEYWORD, namespace=_KEYWORD),
    "log": _object(level=_KEYWORD, iostream=_KEYWORD),
    "container": _object(
        id=_KEYWORD,
        name=_KEYWORD,
        runtime=_KEYWORD,
        image=_object(name=_KEYWORD, tag=_KEYWORD, hash=_object(all=_KEYWORD)),
        labels=_FLATTENED,
    ),
    "service": _object(name=_KEYWORD, version=_KEYWORD, environment=_KEYWORD, node=_object(name=_KEYWORD)),
    "host": _object(name=_KEYWORD, hostname=_KEYWORD),
    "docker": _object(tag=_KEYWORD, tag_fields=_FLATTENED, fields=_FLATTENED),
    "tags": _KEYWORD,
    "logdock": _object(
        journal=_KEYWORD,
        offset={"type": "long", **_EXACT},
        origin=_KEYWORD,  # a digest of everything that all lines of one container run share
        timestamp={"type": "long", **_EXACT},  # only when the time is not inside what date_nanos takes
        marks=_KEYWORD,  # what of this document is not indexed, see docs.py
    ),
}


# Lines of one container beside each other, the newest first: the smallest index, and its newest lines are the
# quickest to find. Measured in docs/decisions/0016-elasticsearch-index.md, with what else was tried.
_SORT = {"index.sort.field": ["container.id", "@timestamp"], "index.sort.order": ["asc", "desc"]}
LOGSDB: dict[str, Any] = {
    "index.mode": "logsdb",
    # Otherwise a licence decides whether sources are kept or made up again. Made up they are not the same:
    # numbers become texts, and `a.b` and `a: {b}` one field.
    "index.mapping.source.mode": "stored",
    **_SORT,
}
STANDARD: dict[str, Any] = {"index.codec": "best_compression", **_SORT}
MODES = {"logsdb": LOGSDB, "standard": STANDARD}  # the best first; a server that knows no logsdb refuses it


def template(version: int = VERSION, mode: str = "logsdb") -> dict[str, Any]:
    """The body of PUT _index_template/logs-docker. `mode` is one of MODES.

    The priority outranks the `logs` template that a whole Elasticsearch brings for logs-*-* (100).
    """
    return {
        "index_patterns": [PATTERN],
        "priority": 500,
        "data_stream": {},
        "_meta": {"managed_by": "logdock", "version": version},
        "template": {
            "settings": {
                "number_of_shards": 1,
                "auto_expand_replicas": "0-1",  # one node: none, which would only make the index yellow
                "index.mapping.ignore_malformed": True,  # of somebody else's documents: ours fit
                "index.analysis": {"analyzer": {"line": {"type": "standard", "max_token_length": MAX_TOKEN}}},
                **MODES[mode],
            },
            "mappings": {"dynamic": False, "_meta": {"logdock": version}, "properties": PROPERTIES},
        },
    }


def mapping(version: int = VERSION) -> dict[str, Any]:
    """What PUT _mapping brings an index up to date with. Its version is how to tell an older index.

    The time of a data stream is not among it: 8.19 refuses it there once ignore_malformed is set.
    """
    properties = {name: mapped for name, mapped in PROPERTIES.items() if name != "@timestamp"}
    return {"_meta": {"logdock": version}, "properties": properties}


def mapped_version(reply: dict[str, Any]) -> int:
    """The version in the reply of GET {index}/_mapping; 0 for a mapping that is not ours."""
    mappings: dict[str, Any] = next(iter(reply.values()), dict[str, Any]()).get("mappings", {})
    version = (mappings.get("_meta") or {}).get("logdock")
    if isinstance(version, int):
        return version
    return 1 if "logdock" in mappings.get("properties", {}) else 0  # version 1 did not say


def installed_version(reply: dict[str, Any]) -> int | None:
    """The version of our template in the reply of GET _index_template/logs-docker.

    None when there is none; a template of that name which is not ours counts as newer than any of ours:
    somebody chose it.
    """
    templates = reply.get("index_templates") or []
    if not templates:
        return None
    meta = templates[0]["index_template"].get("_meta") or {}
    version = meta.get("version")
    return version if meta.get("managed_by") == "logdock" and isinstance(version, int) else 1 << 30
