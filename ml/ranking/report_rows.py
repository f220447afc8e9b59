"""Rows of stored tables as the report reads and writes them.

Belongs here: looking figures up and putting them into few characters. Does not belong here: sections
(ml.ranking.report_sections, ml.ranking.report_causes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ml.ranking.order import Choice

NDCG = "ndcg@10"
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a chapter is written from: the surface's rows of every stored table by name, what validation
    chose, and recall by generator (None where it was not measured)."""

    tables: Mapping[str, pa.Table]
    choice: Choice
    recall: pa.Table | None


def of(found: pa.Table, surface: str) -> pa.Table:
    """The rows of a surface."""
    return found.filter(pc.equal(found["surface"], surface))


def figure(found: pa.Table, model: str, metric: str) -> Found | None:
    """The row of a model and metric, None where there is none."""
    rows = found.filter(
        pc.and_(pc.equal(found["model"], model), pc.equal(found["metric"], metric))
    ).to_pylist()
    return rows[0] if rows else None


def interval(row: Found, name: str = "mean") -> str:
    """A mean with its interval; `name` "advantage" reads the columns of that name."""
    low, high = ("low", "high") if name == "mean" else (f"{name}_low", f"{name}_high")
    if isnan(row[name]):
        return ""
    sign = "" if name == "mean" else "+"
    if isnan(row[low]):
        return f"{row[name]:{sign}.4f} (one listener)"
    return f"{row[name]:{sign}.4f} [{row[low]:.4f}, {row[high]:.4f}]"


def chance(p: float) -> str:
    """An adjusted p in few characters."""
    if isnan(p):
        return ""
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"
