"""Evidence for the gate as a file, so that a decision can be read back and taken again.

Belongs here: storing and reading. Does not belong here: gathering evidence (ml.ranking.verdicts) or
weighing it (ml.registry.gate).
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml.ranking.steps import replace_table
from ml.registry.gate import Evidence, SurfaceEvidence


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Store one row a surface and request: surface, request_id, user int32, ndcg, popularity."""
    parts = [
        pa.table(
            {
                "surface": pa.array([surface] * len(found.user), pa.string()),
                "request_id": pa.array(found.request_keys, pa.string()),
                "user": found.user,
                "ndcg": found.ndcg,
                "popularity": found.popularity,
            }
        )
        for surface, found in sorted(evidence.surfaces.items())
    ]
    table = pa.concat_tables(parts) if parts else pa.table({"surface": pa.array([], pa.string())})
    stated = {"version": evidence.version, "as_of": evidence.as_of}
    replace_table(path, table.replace_schema_metadata(stated))


def read_evidence(path: Path) -> Evidence:
    """The evidence stored at `path`."""
    table = pq.read_table(path)
    stated = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    surfaces = {}
    for surface in table["surface"].unique().to_pylist():
        part = table.filter(pc.field("surface") == surface)
        surfaces[str(surface)] = SurfaceEvidence(
            tuple(part["request_id"].to_pylist()),
            np.asarray(part["user"].to_numpy()),
            np.asarray(part["ndcg"].to_numpy()),
            np.asarray(part["popularity"].to_numpy()),
        )
    return Evidence(stated["version"], stated["as_of"], surfaces)
