"""Who follows whom, from the warehouse.

Belongs here: the look-up as of a day. Does not belong here: what friends tell of a listener
(ml.candidates.circle).
"""

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
from scipy import sparse

from ml.state.catalogue import positions
from ml.state.state import no_friends

_FRIENDSHIPS = """
select user_id, friend_id from intermediate.friendships
where first_known_on < $day::date order by user_id, friend_id
"""
_EXISTS = """
select count(*) from information_schema.tables
where table_catalog = current_database()
    and table_schema = 'intermediate' and table_name = 'friendships'
"""


def holds_friendships(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the warehouse has the table: one that was built before there were friendships has not."""
    return bool(connection.execute(_EXISTS).fetchall()[0][0])


def read_friends(
    connection: duckdb.DuckDBPyConnection, user_ids: pa.StringArray, day: date
) -> sparse.csr_matrix:
    """Friendships known before `day` as State.friends."""
    if not holds_friendships(connection):
        return no_friends()
    table: pa.Table = connection.query(_FRIENDSHIPS, params={"day": day}).to_arrow_table()
    if not len(table):
        return no_friends()
    user, friend = (positions(table[name], user_ids) for name in ("user_id", "friend_id"))
    kept = (user >= 0) & (friend >= 0)
    ones = np.ones(int(kept.sum()), dtype=np.float32)
    shape = (len(user_ids), len(user_ids))
    matrix = sparse.csr_matrix((ones, (user[kept], friend[kept])), shape=shape)
    matrix.sort_indices()
    return matrix
