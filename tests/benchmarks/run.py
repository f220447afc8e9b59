"""`make bench`: every bench as a program of its own, with its time and peak memory.

Belongs here: running the scripts beside this one. Does not belong here: measuring inside them.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    """Run each bench_*.py, print what it prints and one line of its own; 1 when one failed."""
    failed = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        began = time.monotonic()
        done = subprocess.run([sys.executable, str(path)], check=False)
        # The largest of all children so far: benches run from small to large would hide none.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        seconds = time.monotonic() - began
        print(f"{path.stem}: {seconds:.0f} s in all, peak so far {peak:.0f} MB")  # noqa: T201
        failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
