"""The scripts in bench/ are run by hand: at least they must still fit what they measure."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(path.stem for path in (ROOT / "bench").glob("*.py"))


def test_every_script_can_be_imported() -> None:
    assert "search" in SCRIPTS
    code = f"import sys; sys.path[:0] = ['bench', '.']; import {', '.join(SCRIPTS)}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
