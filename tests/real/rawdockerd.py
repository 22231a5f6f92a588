"""A real dockerd on a daemon.json as it is written, which dockerlab would parse and write again.

One that refuses its file ends within a tenth of a second; one that refuses its log options within two.
"""

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

CACHE = Path(os.environ.get("LOGDOCK_TEST_CACHE", Path.home() / ".cache" / "logdock-tests"))
BINARIES = {"20.10": Path("/usr/sbin/dockerd"), "26.1": CACHE / "docker-26.1" / "dockerd"}
PATIENCE = 40.0  # seconds; a plugin that does not exist is searched for 16
STOP_PATIENCE = 20.0


class RawDockerd:
    """`refusal` is what it said when it ended by itself, None while it runs."""

    def __init__(self, version: str, text: str) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ld", dir="/tmp"))  # short: unix sockets live in it
        (self.root / "daemon.json").write_text(text)
        self.log = self.root / "log"
        binary = BINARIES[version]
        environ = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
        environ["PATH"] = f"{binary.parent}:{environ.get('PATH', '')}:/usr/sbin:/sbin"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(binary), *self._flags()], env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.api = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.root / "sock")), base_url="http://docker", timeout=60
        )
        self.refusal = self._wait()

    def _flags(self) -> list[str]:
        flags = ["--config-file", f"{self.root}/daemon.json", "--data-root", f"{self.root}/data"]
        flags += ["--exec-root", f"{self.root}/exec", "--pidfile", f"{self.root}/pid"]
        flags += ["--host", f"unix://{self.root}/sock", "--bridge=none", "--iptables=false"]
        return [*flags, "--ip-forward=false", "--storage-driver=vfs"]

    def _wait(self) -> str | None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return self.said()
            with contextlib.suppress(httpx.HTTPError):
                if self.api.get("/_ping").status_code == 200:
                    return None
            time.sleep(0.02)
        raise AssertionError(f"neither up nor ended:\n{self.said()}")

    def said(self) -> str:
        """The lines of its log that are not for information."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if "level=info" not in line)[-3000:]

    def image(self) -> None:
        """busybox:1, with nothing but busybox."""
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            tar.add("/bin/busybox", "bin/busybox")
            tar.add("/bin/busybox", "bin/sh")
        answer = self.api.post(
            "/images/create", params={"fromSrc": "-", "repo": "busybox", "tag": "1"}, content=made.getvalue()
        )
        assert answer.status_code == 200, answer.text

    def stop(self) -> None:
        self.api.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._end_containerd()
        self._unmount()
        shutil.rmtree(self.root, ignore_errors=True)

    def _end_containerd(self) -> None:
        """containerd goes with its daemon, except when that died."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.root / "exec/containerd/containerd.pid").read_text())
            if str(self.root) in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"):
                os.kill(pid, 15)

    def _unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((m for m in mounts if m.startswith(f"{self.root}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)


@contextlib.contextmanager
def raw_dockerd(version: str, text: str) -> Iterator[RawDockerd]:
    daemon = RawDockerd(version, text)
    try:
        yield daemon
    finally:
        daemon.stop()


def validate(text: str) -> str | None:
    """`dockerd --validate` of 26.1: what it says against the file, None when it takes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [str(BINARIES["26.1"]), "--validate", "--config-file", file.name],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    return None if done.returncode == 0 else done.stderr + done.stdout


class Containers:
    """Containers over Docker's API, which is quicker than its command line."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api

    def create(
        self, driver: str | None, options: dict[str, str], command: str = "echo hi", **more: Any
    ) -> httpx.Response:
        config = {"Type": driver, "Config": options} if driver is not None else {}
        body = {
            "Image": "busybox:1", "Cmd": ["/bin/busybox", "sh", "-c", command],
            "HostConfig": {"LogConfig": config, "NetworkMode": "none"}, **more,
        }  # fmt: skip
        return self.api.post("/containers/create", json=body)

    def start(self, identity: str) -> httpx.Response:
        return self.api.post(f"/containers/{identity}/start")

    def finish(self, identity: str) -> None:
        """Wait for its end."""
        assert self.api.post(f"/containers/{identity}/wait").status_code == 200

    def remove(self, identity: str) -> None:
        self.api.delete(f"/containers/{identity}", params={"force": "true"})

    def fate(self, driver: str | None, options: dict[str, str]) -> tuple[str, str]:
        """(refused, unstarted or ran, what Docker said)."""
        made = self.create(driver, options)
        if made.status_code != 201:
            return "refused", made.json()["message"]
        identity = made.json()["Id"]
        try:
            started = self.start(identity)
            if started.status_code >= 300:
                return "unstarted", started.json()["message"]
            self.finish(identity)
            return "ran", ""
        finally:
            self.remove(identity)

    def run(self, driver: str | None, options: dict[str, str], command: str, **more: Any) -> str:
        """The id of a container that ran to its end; it is left for docker logs."""
        made = self.create(driver, options, command, **more)
        assert made.status_code == 201, made.text
        identity: str = made.json()["Id"]
        started = self.start(identity)
        assert started.status_code < 300, started.text
        self.finish(identity)
        return identity
