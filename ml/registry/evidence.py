"""What the gate weighs: a model's figures on the test requests, and their storage.

Belongs here: the evidence and its file, so that a decision can be taken again. Does not belong here:
gathering it (ml.ranking.rivals) or weighing it (ml.registry.gate).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.files import replace_table

_MEASURE, _SLICE = "measure ", "slice "


@dataclass(frozen=True, slots=True)
class SurfaceEvidence:
    """NDCG@10 per test request, float64 (n), nan where nothing was relevant.

    `request_keys` identify the requests, `user` int32 (n) is resampled; `popularity` is the score of
    decayed popularity on the same requests. By the policy's names: `measures` float64 (n), nan where a
    request does not judge it; `slices` NDCG@10 on a part of the truth, float64 (n), nan outside it;
    `totals` figures of all lists together.
    """

    request_keys: tuple[str, ...]
    user: NDArray[np.int32]
    ndcg: NDArray[np.float64]
    popularity: NDArray[np.float64]
    measures: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    slices: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    totals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invariant:
    """Whether an invariant holds and what was found."""

    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A model's version, the day before which it saw everything (ISO), and its scores by surface.

    `invariants` by the policy's names, asked of challengers; `cannot_answer` says why a champion gives no
    answers with this version of Segue, empty where it does.
    """

    version: str
    as_of: str
    surfaces: Mapping[str, SurfaceEvidence]
    invariants: Mapping[str, Invariant] = field(default_factory=dict)
    cannot_answer: str = ""


def _columns(surface: str, found: SurfaceEvidence) -> pa.Table:
    columns: dict[str, pa.Array | NDArray[np.generic]] = {
        "surface": pa.array([surface] * len(found.user), pa.string()),
        "request_id": pa.array(found.request_keys, pa.string()),
        "user": found.user,
        "ndcg": found.ndcg,
        "popularity": found.popularity,
    }
    columns |= {f"{_MEASURE}{name}": found.measures[name] for name in sorted(found.measures)}
    columns |= {f"{_SLICE}{name}": found.slices[name] for name in sorted(found.slices)}
    return pa.table(columns)


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Store one row a surface and request: surface, request_id, user int32, ndcg, popularity, and a column
    a measure and slice."""
    parts = [_columns(surface, found) for surface, found in sorted(evidence.surfaces.items())]
    # What one surface was not measured on is null there.
    nothing = pa.table({"surface": pa.array([], pa.string())})
    table = pa.concat_tables(parts, promote_options="default") if parts else nothing
    stated = {
        "version": evidence.version,
        "as_of": evidence.as_of,
        "cannot_answer": evidence.cannot_answer,
        "totals": json.dumps({name: dict(one.totals) for name, one in evidence.surfaces.items()}),
        "invariants": json.dumps({name: asdict(one) for name, one in evidence.invariants.items()}),
    }
    replace_table(path, table.replace_schema_metadata(stated))


def read_evidence(path: Path) -> Evidence:
    """The evidence stored at `path`."""
    table = pq.read_table(path)
    stated = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    totals = json.loads(stated.get("totals", "{}"))
    surfaces = {
        str(name): _surface(table.filter(pc.field("surface") == name), totals.get(name, {}))
        for name in table["surface"].unique().to_pylist()
    }
    held = json.loads(stated.get("invariants", "{}"))
    invariants = {name: Invariant(**one) for name, one in held.items()}
    cannot = stated.get("cannot_answer", "")
    return Evidence(stated["version"], stated["as_of"], surfaces, invariants, cannot)


def _surface(part: pa.Table, totals: Mapping[str, float]) -> SurfaceEvidence:
    def named(prefix: str) -> dict[str, NDArray[np.float64]]:
        names = [
            name
            for name in part.column_names
            if name.startswith(prefix) and part[name].null_count < len(part)
        ]
        return {name.removeprefix(prefix): np.asarray(part[name].to_numpy()) for name in names}

    return SurfaceEvidence(
        tuple(part["request_id"].to_pylist()),
        np.asarray(part["user"].to_numpy()),
        np.asarray(part["ndcg"].to_numpy()),
        np.asarray(part["popularity"].to_numpy()),
        named(_MEASURE),
        named(_SLICE),
        totals,
    )
