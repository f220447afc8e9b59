"""Home requests as tests ask them.

Belongs here: requests that no test is about. Does not belong here: sessions or today's listens.
"""

import numpy as np
import pyarrow as pa

from ml.state.requests import Requests


def asked(*users: int) -> Requests:
    """A Home request of each listener (index, -1 unknown) at time 0, without a session."""
    size = len(users)
    return Requests(
        "home",
        pa.array([str(i) for i in range(size)], pa.string()),
        pa.nulls(size, pa.string()),
        np.array(users, np.int32),
        np.zeros(size, np.int64),
        np.zeros(size + 1, np.int64),
        np.zeros(0, np.int32),
    )
