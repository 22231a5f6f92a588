"""Real containers whose numbered lines Docker sends with acknowledgements."""

from pathlib import Path

from tests.real.dockerd import Dockerd

LINES_AT_ONCE = 20
DRIVER = {"fluentd-request-ack": "true", "fluentd-sub-second-precision": "true"}
# As the README advises: without a queue of Docker's own, both streams of a container take each other's acks.
QUEUE = {"mode": "non-blocking", "max-buffer-size": "64m"}

# Ends when it finds the file `stop`, and leaves the number of its lines behind.
SCRIPT = """i=0
while [ ! -e /w/stop ]; do
  n=0
  while [ $n -lt %d ]; do i=$((i+1)); n=$((n+1)); echo "line $i of %s"; done
  sleep 0.1
done
echo $i > /w/count"""


class Printing:
    """One container, from its start to its end. `acked` is how many lines it printed, once it has ended."""

    def __init__(self, daemon: Dockerd, forward: str, name: str, folder: Path) -> None:
        self.name, self.acked = name, 0
        self._daemon, self._folder = daemon, folder / name
        self._folder.mkdir(parents=True)
        options = {"fluentd-address": forward, **DRIVER, **QUEUE}
        given = [word for key, value in options.items() for word in ("--log-opt", f"{key}={value}")]
        self.container = daemon.run(
            "-d", "--name", name, "--log-driver", "fluentd", *given, "-v", f"{self._folder}:/w",
            "busybox:1", "sh", "-c", SCRIPT % (LINES_AT_ONCE, name),
        )  # fmt: skip

    def text(self, line: int) -> str:
        return f"line {line} of {self.name}"

    def end(self) -> None:
        """Let it end by itself, and wait until Docker has sent its last line."""
        (self._folder / "stop").touch()
        self._daemon.docker("wait", self.container)
        self.acked = int((self._folder / "count").read_text())
        self._daemon.docker("rm", self.container)

    def abandon(self) -> None:
        """End it at once, whatever it had to say."""
        self._daemon.docker("rm", "--force", self.container)
