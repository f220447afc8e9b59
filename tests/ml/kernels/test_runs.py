"""Where runs of equal requests end, by hand."""

import numpy as np

from ml.kernels.runs import end_of


def test_a_run_ends_before_another_request_and_at_the_end() -> None:
    request = np.array([4, 4, 7, 4], np.int32)
    assert [end_of(request, start) for start in range(4)] == [2, 2, 3, 4]
