"""The index template `logs-docker`: how Elasticsearch indexes the documents of elastic_docs.py.

Names are those of the Elastic Common Schema where it has one; what is only ours stands under `logdock`.
Only field types of the server's core are used, so that a server without its optional modules does too.
"""

from typing import Any

STREAM = "logs-docker-default"
TEMPLATE = "logs-docker"
PATTERN = "logs-docker-*"
VERSION = 1  # of the mappings below; a server that has a newer one keeps it

IGNORE_ABOVE = 1024  # characters; a longer keyword stays in the source but is found only by looking at it
FLATTENED_DEPTH = 20  # levels of nesting that `flattened` takes; a deeper object refuses the document
MAX_TERM_BYTES = 32_766  # Lucene's limit; `flattened` indexes "key NUL value" as one term

MAX_TOKEN = 8191
"""Characters up to which a token stays whole: four bytes each still fit Lucene's limit for a term.

Elasticsearch cuts at 255 by default, which would hide a word that crosses the cut from a search by part
of a word. `long_token` in elastic_docs.py marks the lines that even this limit cuts.
"""

# A page orders by time, then by journal order; see elastic_dsl.py. The last term only parts two journals.
_KEYWORD = {"type": "keyword", "ignore_above": IGNORE_ABOVE}
_FLATTENED = {"type": "flattened", "ignore_above": IGNORE_ABOVE, "depth_limit": FLATTENED_DEPTH}


def _object(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}


PROPERTIES: dict[str, Any] = {
    "@timestamp": {"type": "date_nanos"},
    # No scoring in logs, so no norms. Positions stay: they are what makes phrases work for people.
    "message": {"type": "text", "analyzer": "line", "norms": False},
    "event": _object(
        created={"type": "date_nanos", "index": False},  # when it was read from the network
        sequence={"type": "long", "index": False},  # only sorted by
    ),
    "log": _object(level=_KEYWORD, iostream=_KEYWORD),
    "container": _object(id=_KEYWORD, name=_KEYWORD, image=_object(name=_KEYWORD), labels=_FLATTENED),
    "service": _object(name=_KEYWORD),
    "host": _object(name=_KEYWORD),
    "docker": _object(tag=_KEYWORD, tag_fields=_FLATTENED, fields=_FLATTENED),
    "tags": _KEYWORD,
    "logdock": _object(
        journal=_KEYWORD,
        offset={"type": "long"},
        origin=_KEYWORD,  # a digest of everything that all lines of one container run share
        timestamp={"type": "long"},  # only when the time is not inside what date_nanos takes
        marks=_KEYWORD,  # what of this document is not indexed, see elastic_docs.py
    ),
}


def template(version: int = VERSION) -> dict[str, Any]:
    """The body of PUT _index_template/logs-docker.

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
                "index.codec": "best_compression",
                "index.analysis": {"analyzer": {"line": {"type": "standard", "max_token_length": MAX_TOKEN}}},
            },
            "mappings": {"dynamic": False, "properties": PROPERTIES},
        },
    }


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
