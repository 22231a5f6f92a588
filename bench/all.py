"""All the numbers, each target beside what was measured.

    python bench/all.py [name...]      names of scripts in here: journal decode end_to_end to_elastic

About six minutes. Figures of CPU are good on a machine that does something else too; rates and latencies only
on an idle one: the line about the machine tells its load.
"""

import importlib
import sys

import rig

SCRIPTS = ("journal", "decode", "end_to_end", "to_elastic")


def main() -> None:
    rows: list[rig.Row] = []
    for name in sys.argv[1:] or SCRIPTS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += importlib.import_module(name).rows()
    rig.show("logdock in numbers", rows)
    missed = sum(row.good is False for row in rows)
    print(f"\n{missed} of {sum(row.good is not None for row in rows)} targets missed")


if __name__ == "__main__":
    main()
