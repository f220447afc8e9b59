"""A file of requests as a REQUESTS table.

Belongs here: reading and judging the file. Does not belong here: answering (ml.serving.recommender).
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ml.serving.recommender import RequestError
from ml.tables import RECOMMENDED_SURFACES, REQUESTS, TIMESTAMP

_NEEDED = ("request_id", "surface", "at")


def read_requests(path: Path) -> pa.Table:
    """The requests in a Parquet or CSV file, in the file's order.

    `user_id` and `session_track_ids` may be absent or null (an anonymous listener, no session). In a
    CSV the session's track ids are separated by spaces or "|", optionally in brackets.

    Raises:
        RequestError: no such file, a column missing, an id twice or empty, a time without a zone or a
            surface that is not recommended.
    """
    if not path.is_file():
        raise RequestError(f"expected a file of requests, found none at {path}")
    try:
        table = pq.read_table(path) if path.suffix == ".parquet" else _csv(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise RequestError(
            f"expected {path.name} to be Parquet or CSV, found: {error}; write the file again"
        ) from error
    missing = [name for name in _NEEDED if name not in table.column_names]
    if missing:
        raise RequestError(
            f"expected columns request_id, user_id, surface, at, session_track_ids in {path.name}, "
            f"found no {', '.join(missing)}"
        )
    columns = {
        "request_id": _text(table, "request_id"),
        "user_id": _text(table, "user_id"),
        "surface": _text(table, "surface"),
        "at": _instants(table["at"], path),
        "session_track_ids": _sessions(table),
    }
    requests = pa.table({name: _whole(column) for name, column in columns.items()})
    _judge(requests, path)
    return requests.cast(REQUESTS.schema)


def _csv(path: Path) -> pa.Table:
    names = [field.name for field in REQUESTS.schema]
    as_text = pa_csv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        strings_can_be_null=True,
        null_values=[""],
        quoted_strings_can_be_null=True,
    )
    return pa_csv.read_csv(path, convert_options=as_text)


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _text(table: pa.Table, name: str) -> pa.ChunkedArray | pa.Array:
    if name not in table.column_names:
        return pa.nulls(len(table), pa.string())
    return table[name].cast(pa.string())


def _instants(column: pa.ChunkedArray, path: Path) -> pa.ChunkedArray:
    """Instants in UTC from timestamps with a zone or ISO texts with an offset."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        zoned = pc.match_substring_regex(pc.utf8_trim_whitespace(column), r"(Z|[+-]\d\d:?\d\d)$")
        if not pc.all(zoned, min_count=0).as_py():
            raise RequestError(
                f"expected times with a zone in column at of {path.name} (2025-05-01T08:00:00Z), "
                "found times without one"
            )
        try:
            return column.cast(TIMESTAMP)
        except pa.ArrowInvalid as error:
            raise RequestError(
                f"expected times like 2025-05-01T08:00:00Z in column at of {path.name}, found: {error}"
            ) from error
    if not pa.types.is_timestamp(column.type) or column.type.tz is None:
        raise RequestError(
            f"expected timestamps with a zone in column at of {path.name}, found {column.type}"
        )
    return column.cast(TIMESTAMP)


def _sessions(table: pa.Table) -> pa.Array | pa.ChunkedArray:
    kind = pa.list_(pa.string())
    if "session_track_ids" not in table.column_names:
        return pa.nulls(len(table), kind)
    column = table["session_track_ids"]
    if pa.types.is_null(column.type):
        return pa.nulls(len(table), kind)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column.cast(kind)
    bare = pc.replace_substring_regex(column.cast(pa.string()), r"[\[\]'\",|\s]+", " ")
    bare = pc.utf8_trim_whitespace(bare)
    split = pc.split_pattern(bare, " ")
    return pc.if_else(pc.equal(bare, ""), pa.scalar([], kind), split)


def _judge(requests: pa.Table, path: Path) -> None:
    ids = requests["request_id"]
    if ids.null_count or pc.count_distinct(ids).as_py() != len(ids):
        raise RequestError(
            f"expected a request_id of its own in every row of {path.name}, found "
            f"{ids.null_count} empty ones and {len(ids) - pc.count_distinct(ids).as_py()} repeated ones"
        )
    if requests["at"].null_count:
        raise RequestError(
            f"expected a time in every row of {path.name}, found {requests['at'].null_count} without"
        )
    known = pa.array(RECOMMENDED_SURFACES)
    strange = requests.filter(pc.invert(pc.is_in(requests["surface"], value_set=known)))
    if len(strange):
        names = sorted({str(name) for name in strange["surface"].unique().to_pylist()})
        raise RequestError(
            f"expected surface to be one of {', '.join(RECOMMENDED_SURFACES)} in {path.name}, "
            f"found {', '.join(names)}"
        )
