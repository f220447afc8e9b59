"""The listening log read from the warehouse.

Belongs here: the query of the log, whole or of drawn listeners. Does not belong here: the log as arrays
(ml.state.log), which listeners are drawn (ml.state.drawn).
"""

from datetime import date

import duckdb
import numpy as np
from numpy.typing import NDArray

from ml.state.catalogue import positions
from ml.state.drawn import Drawn, drawn_listens
from ml.state.log import Log
from ml.state.state import State
from ml.tables import SURFACES

_LOG = """
with numbered as (
    select
        listens.*,
        min(played_at) over (partition by session_id) as session_start
    from intermediate.listens as listens
    where known_on < $day::date {among}
)
select
    user_id, track_id,
    (dense_rank() over (order by session_start, session_id) - 1)::integer as session,
    position::integer as position,
    epoch(played_at)::bigint as played_at,
    (known_on - date '1970-01-01')::integer as known_day,
    least(coalesce(ms_played, -1), 2147483647)::integer as ms_played,
    is_stream,
    (list_position({surfaces}, surface) - 1)::tinyint as surface
from numbered
order by session, position, listen_id
"""


def read_log(
    connection: duckdb.DuckDBPyConnection, state: State, drawn: Drawn | None = None
) -> Log:
    """The listens known before `state.valid_on`, all or the drawn ones, with the state's indices."""
    condition, parameters = drawn_listens(drawn)
    query = _LOG.format(among=condition, surfaces=list(SURFACES))
    found = connection.query(query, params={"day": state.valid_on} | parameters)
    table = found.to_arrow_table().combine_chunks()

    def column(name: str) -> NDArray[np.int64]:
        return np.asarray(table[name].to_numpy())

    return Log(
        user=positions(table["user_id"], state.user_ids),
        track=positions(table["track_id"], state.catalogue.track_ids),
        session=column("session").astype(np.int32),
        position=column("position").astype(np.int32),
        played_at=column("played_at").astype(np.int64),
        known_day=column("known_day").astype(np.int32),
        ms_played=column("ms_played").astype(np.int32),
        is_stream=column("is_stream").astype(np.bool_),
        surface=column("surface").astype(np.int8),
        users=len(state.user_ids),
        tracks=state.catalogue.size,
    )


def days_with_listens(connection: duckdb.DuckDBPyConnection, before: date) -> list[date]:
    """Known days that hold listens, ascending, all before `before`."""
    rows = connection.execute(
        "select distinct known_on from intermediate.listens where known_on < ? order by 1", [before]
    ).fetchall()
    return [row[0] for row in rows]


def listeners_a_day(connection: duckdb.DuckDBPyConnection, before: date) -> float:
    """Mean listeners of the last ten days that hold listens, all before `before`; 0.0 without listens."""
    [(found,)] = connection.execute(
        "with days as (select count(distinct user_id) as listeners from intermediate.listens "
        "where known_on < ? group by known_on order by known_on desc limit 10) "
        "select coalesce(avg(listeners), 0) from days",
        [before],
    ).fetchall()
    return float(found)
