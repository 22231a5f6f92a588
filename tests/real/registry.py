"""A Docker registry with one image, so that a real dockerd can be asked for it by its digest.

As much of the Registry HTTP API V2 as `docker pull` needs. To 127.0.0.0/8 dockerd speaks plain HTTP unasked.
"""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@contextlib.contextmanager
def registry(name: str, architecture: str) -> Iterator[str]:
    """The image's reference without a tag, `127.0.0.1:PORT/NAME@sha256:...`, while the registry runs.

    `architecture`: as Docker calls it (`amd64`). The image has busybox's sh and sleep, and nothing else.
    """
    contents, digest = _image(architecture)

    class Registry(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            kind, body = contents.get(self.path.rpartition("/")[2], ("application/json", b"{}"))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}/{name}@{digest}"
        finally:
            server.shutdown()


def _image(architecture: str) -> tuple[dict[str, tuple[str, bytes]], str]:
    """What is served, by digest, and the manifest's digest."""
    tar = _root()
    layer = gzip.compress(tar, compresslevel=1, mtime=0)
    config = json.dumps(
        {
            "architecture": architecture, "os": "linux", "config": {"Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]}, "history": [{"created_by": "tests"}],
        }
    ).encode()  # fmt: skip
    manifest = json.dumps(
        {
            "schemaVersion": 2, "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _digest(layer)}],
        }
    ).encode()  # fmt: skip
    served = {_MANIFEST: manifest, _CONFIG: config, _LAYER: layer}
    return {_digest(body): (kind, body) for kind, body in served.items()}, _digest(manifest)


def _root() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name in ("sh", "sleep"):
            tar.add("/bin/busybox", f"bin/{name}")
    return made.getvalue()


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
