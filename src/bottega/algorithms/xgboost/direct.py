"""Prediction of a few rows by the library's C interface, without its Python wrapper.

``XGBoosterPredictFromDense`` is public and stable; the Python wrapper around it takes longer to
look at its arguments than the library takes to predict a row. What does not change from call to
call (the options and the description of the input buffer, both JSON) is made once for each thread.
"""

from __future__ import annotations

import ctypes
import json
import threading
from typing import Any

import numpy as np

_MAX_ROWS = 16


class DirectPrediction:
    """Predicts up to 16 dense rows with one booster; may be called from several threads."""

    def __init__(self, booster: Any, width: int, rounds: int) -> None:
        import xgboost

        # The handle is the booster's: it has to live as long as this.
        self._booster = booster
        self._width = width
        self._library = xgboost.core._LIB
        options = {
            "type": 0,
            "training": False,
            "iteration_begin": 0,
            "iteration_end": rounds,
            "missing": float("nan"),
            "strict_shape": False,
            "cache_id": 0,
        }
        self._options = json.dumps(options).encode()
        self._threads = threading.local()

    def fits(self, rows: int) -> bool:
        """Whether so few rows are predicted here."""
        return 0 < rows <= _MAX_ROWS

    def __call__(self, features: Any) -> Any:
        """Predict a ``float32`` array, rows x columns, as ``Booster.inplace_predict`` does.

        Raises:
            xgboost.core.XGBoostError: the library refuses.
        """
        rows = features.shape[0]
        local = self._threads
        try:
            local.buffer[:rows] = features
        except AttributeError:
            self._prepare(local)
            local.buffer[:rows] = features
        status = self._library.XGBoosterPredictFromDense(
            self._booster.handle,
            local.descriptions[rows],
            self._options,
            None,
            local.shape_reference,
            local.dimensions_reference,
            local.result_reference,
        )
        if status != 0:
            self._refuse()
        shape = local.shape[: local.dimensions.value]
        size = 1
        for extent in shape:
            size *= extent
        found = np.array(local.result[:size], dtype=np.float32)
        return found if len(shape) == 1 else found.reshape(shape)

    def _prepare(self, local: Any) -> None:
        local.buffer = np.zeros((_MAX_ROWS, self._width), dtype=np.float32)
        local.descriptions = [
            json.dumps(
                {
                    "data": [local.buffer.ctypes.data, True],
                    "shape": [rows, self._width],
                    "strides": None,
                    "typestr": "<f4",
                    "version": 3,
                }
            ).encode()
            for rows in range(_MAX_ROWS + 1)
        ]
        # The library points these at its own memory, which is valid until this thread's next call.
        local.shape = ctypes.POINTER(ctypes.c_uint64)()
        local.dimensions = ctypes.c_uint64()
        local.result = ctypes.POINTER(ctypes.c_float)()
        local.shape_reference = ctypes.byref(local.shape)
        local.dimensions_reference = ctypes.byref(local.dimensions)
        local.result_reference = ctypes.byref(local.result)

    def _refuse(self) -> None:
        import xgboost

        message: bytes = self._library.XGBGetLastError()
        raise xgboost.core.XGBoostError(message.decode("utf-8", "replace"))
