"""Two bundles that should be one: what differs, from the cause to the scores.

Belongs here: comparing manifests, lake contents and reference scores. Does not belong here: building either
(ml.registry.rebuild).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml.registry.bundle import Manifest
from ml.registry.from_run import LAKE

_REFERENCE = Path("reference")
_MOST_NAMED = 5


def _changed(name: str, then: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return [
        f"{f'{name} {key}'.rstrip()}: {then.get(key, 'absent')} then, {now.get(key, 'absent')} now"
        for key in sorted(set(then) | set(now))
        if then.get(key) != now.get(key)
    ]


def causes(then: Manifest, now: Manifest) -> list[str]:
    """What went in and differs: code, packages, seed, settings, windows, sizes of the data, features."""
    found = _changed(
        "code", {"version": then.facts.code_version}, {"version": now.facts.code_version}
    )
    found += _changed("package", then.packages, now.packages)
    found += _changed("seed", {"": then.facts.seed}, {"": now.facts.seed})
    found += _changed("setting", then.facts.settings, now.facts.settings)
    found += _changed("data", then.facts.data, now.facts.data)
    windows = [
        {name: f"{days[0]} to {days[-1]}" for name, days in one.facts.windows.items() if days}
        for one in (then, now)
    ]
    found += _changed("window", *windows)
    for surface in sorted(set(then.facts.features) | set(now.facts.features)):
        names = [set(one.facts.features.get(surface, ())) for one in (then, now)]
        gone, new = sorted(names[0] - names[1]), sorted(names[1] - names[0])
        if gone or new:
            found.append(
                f"features of {surface}: {len(gone)} gone {gone[:_MOST_NAMED]}, "
                f"{len(new)} new {new[:_MOST_NAMED]}"
            )
    return found


def files(then: Manifest, now: Manifest) -> list[str]:
    """Files of the bundle whose bytes differ."""
    return [
        name
        for name in sorted(set(then.files) | set(now.files))
        if then.files.get(name) != now.files.get(name)
    ]


def lake_days(then: Path, now: pa.Table) -> list[str] | None:
    """Days on which the lake differs from what the bundle `then` saw, None where it does not say."""
    path = then / _REFERENCE / LAKE
    if not path.is_file():
        return None
    held = [
        {(row["table"], row["day"]): (row["rows"], row["digest"]) for row in table.to_pylist()}
        for table in (pq.read_table(path), now)
    ]
    said = []
    for key in sorted(set(held[0]) | set(held[1])):
        before, after = held[0].get(key, (0, "")), held[1].get(key, (0, ""))
        if before != after:
            rows = f"{before[0]} rows then, {after[0]} now"
            said.append(
                f"{key[0]} of {key[1]}: {rows if before[0] != after[0] else 'other content'}"
            )
    return said


def score_gap(then: Path, now: Path) -> float:
    """Largest difference of the reference scores of two bundles, relative above 1; inf where the lists
    differ in number or length."""
    tables = [pq.read_table(one / _REFERENCE / "scores.parquet") for one in (then, now)]
    if not tables[0]["rank"].equals(tables[1]["rank"]):
        return float("inf")
    before, after = (np.asarray(table["score"].to_numpy(), dtype=np.float64) for table in tables)
    gap = np.abs(before - after) / np.maximum(1.0, np.abs(before))
    return float(gap.max(initial=0.0))
