"""Memory that kernels use again at every call.

Belongs here: scratch by thread, zero between calls. Does not belong here: results.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ml.kernels.kinds import Scratch
from ml.kernels.select import BUCKETS

_HELD = threading.local()


def _made(width: int) -> Scratch:
    return Scratch(
        np.zeros(width, dtype=np.float32),
        np.zeros(width, dtype=np.int32),
        # One place more: a column is written before it is known to count.
        np.empty(width + 1, dtype=np.int32),
        np.empty(width, dtype=np.float32),
        np.empty(width, dtype=np.int64),
        np.zeros(BUCKETS, dtype=np.int32),
    )


@contextmanager
def scratch(width: int) -> Iterator[Scratch]:
    """Scratch of at least `width` columns, this thread's own. Kernels leave the zeros as they found them; after
    an error what was held is thrown away."""
    held: Scratch | None = _HELD.__dict__.pop("scratch", None)
    if held is None or len(held.total) < width:
        held = _made(width)
    yield held
    _HELD.scratch = held
