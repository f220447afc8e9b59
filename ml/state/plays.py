"""How often tracks and listeners were played before a cut and after it, counted by the warehouse.

Belongs here: counts by key over every listener, drawn or not. Does not belong here: what they tell
(ml.ranking.honesty).
"""

from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.state.catalogue import positions

_PLAYS = """
with past as (select distinct known_on from intermediate.listens where known_on < $cut::date),
settled as (
    select known_on from past order by known_on offset (select count(*) // 2 from past) limit 1
)
select
    {key},
    count(*) filter (known_on < $cut::date) as before,
    count(*) filter (known_on < $cut::date and is_stream) as streams,
    count(*) filter (known_on >= $cut::date) as after,
    coalesce(min(known_on) <= (select known_on from settled), false) as is_early
from intermediate.listens
where known_on < $day::date
group by {key}
"""


@dataclass(frozen=True, slots=True)
class Plays:
    """Counts of n keys, 0 where one was never played: `before` the cut, `streams` among them, `after` (from the
    cut to as_of), int64 (n); `is_early` bool (n), played in the first half of the days before the cut."""

    before: NDArray[np.int64]
    streams: NDArray[np.int64]
    after: NDArray[np.int64]
    is_early: NDArray[np.bool_]


def count_plays(
    connection: duckdb.DuckDBPyConnection, key: str, ids: pa.StringArray, *, cut: date, as_of: date
) -> Plays:
    """Plays of `ids`, values of the column `key` (track_id or user_id), known before `as_of`."""
    found = connection.query(_PLAYS.format(key=key), params={"cut": cut, "day": as_of})
    table = found.to_arrow_table()
    at = positions(table[key], ids)
    inside = at >= 0

    def column(name: str) -> NDArray[np.int64]:
        values = np.zeros(len(ids), dtype=np.int64)
        values[at[inside]] = table[name].to_numpy()[inside]
        return values

    return Plays(
        column("before"), column("streams"), column("after"), column("is_early").astype(np.bool_)
    )
