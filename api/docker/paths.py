"""Which requests are for Docker's API: by a version in front, or by one of Docker's own first words."""

from __future__ import annotations

import re

from api.docker.versions import Version, split_version

# moby api/server/router: the first words of all its routes.
WORDS = frozenset(
    (
        "_ping", "auth", "build", "commit", "configs", "containers", "distribution", "events", "exec",
        "grpc", "images", "info", "networks", "nodes", "plugins", "secrets", "services", "session", "swarm",
        "system", "tasks", "version", "volumes",
    )
)  # fmt: skip
_SLASHES = re.compile("/{2,}")  # `docker logs /web` asks for /containers//web/logs


def docker_path(path: str) -> tuple[Version | None, str] | None:
    """The version that is asked for, if any, and the path without it; None when it is not Docker's."""
    version, rest = split_version(_SLASHES.sub("/", path))
    if version is None and rest[1:].partition("/")[0] not in WORDS:
        return None
    return version, rest or "/"
