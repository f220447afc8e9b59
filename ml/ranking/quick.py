"""A prediction without what surrounds it in Python: XGBoost's documented C interface.

Belongs here: one call of the library that XGBoost's package has loaded. Does not belong here: training, or
anything that is asked once a day.

`Booster.inplace_predict` makes an empty matrix and looks at fifteen kinds of input at every call: a request
of 500 rows takes 0.7 ms there and 0.5 ms here, for the same bits.
"""

import ctypes
import threading
from functools import cache
from typing import TYPE_CHECKING
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from ml.errors import SegueError

if TYPE_CHECKING:
    import xgboost

# The transformed scores of all trees, as inplace_predict asks for them.
_CONFIG = (
    b'{"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, "missing": NaN, '
    b'"strict_shape": false, "cache_id": 0}'
)
_HELD = threading.local()


class PredictionError(SegueError):
    """XGBoost refused a prediction."""


@cache
def _library() -> ctypes.CDLL:
    from xgboost.libpath import find_lib_path  # 1.0 s

    library = ctypes.CDLL(find_lib_path()[0])
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library


def _check(code: int) -> None:
    if code:
        told = _library().XGBGetLastError().decode()
        raise PredictionError(
            f"expected a prediction, found: {told}; run `make install`, then `segue run train`"
        )


class _Proxy:
    """The matrix that names a call's rows to the library; each thread needs its own."""

    def __init__(self) -> None:
        self.handle = ctypes.c_void_p()
        _check(_library().XGProxyDMatrixCreate(ctypes.byref(self.handle)))
        finalize(self, _library().XGDMatrixFree, self.handle)


def predict(booster: "xgboost.Booster", values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores (rows,) of `values` (rows, features) in any order of memory, nan = missing: the bits of
    inplace_predict.

    Raises:
        PredictionError: the library refused.
    """
    proxy = _HELD.__dict__.get("proxy")
    if proxy is None:
        proxy = _HELD.proxy = _Proxy()
    strides = "null" if values.flags.c_contiguous else str(list(values.strides))
    rows = (
        f'{{"data": [{values.ctypes.data}, true], "shape": {list(values.shape)}, '
        f'"strides": {strides}, "typestr": "<f4", "version": 3}}'
    )
    shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    scores = ctypes.POINTER(ctypes.c_float)()
    _check(
        _library().XGBoosterPredictFromDense(
            booster.handle,
            rows.encode(),
            _CONFIG,
            proxy.handle,
            ctypes.byref(shape),
            ctypes.byref(dimensions),
            ctypes.byref(scores),
        )
    )
    # The library's memory serves the thread's next call.
    return np.ctypeslib.as_array(scores, (len(values),)).copy()
