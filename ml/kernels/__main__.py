"""Compile all kernels: `python -m ml.kernels`, a part of `make install`.

Belongs here: compiling ahead of the first request. Does not belong here: any kernel.
"""

import importlib
import sys
import time
from pathlib import Path


def main() -> None:
    """Import every module of kernels: those with a signature are compiled then, and kept."""
    began = time.perf_counter()
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    for name in names:
        importlib.import_module(f"ml.kernels.{name}")
    sys.stdout.write(f"kernels ready after {time.perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main()
