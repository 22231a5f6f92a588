"""scripts/elasticsearch as the tests call it."""

import subprocess

from tests.real.dockerd import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "elasticsearch"
PATIENCE = 400  # seconds; the first start on a bare machine downloads it


def elasticsearch_script(verb: str) -> subprocess.CompletedProcess[str]:
    """Its end, whatever that is: see `returncode`."""
    return subprocess.run([str(SCRIPT), verb], capture_output=True, text=True, timeout=PATIENCE, check=False)
