"""Which country each listener is of, from the warehouse.

Belongs here: the look-up as of a day. Does not belong here: what a country listens to
(ml.candidates.country_popularity).
"""

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.state.catalogue import positions
from ml.state.state import no_countries

# The latest version known then, ties as in intermediate.users, which holds the latest of all.
_COUNTRIES = """
with versions as (
    select user_id, country from staging.users
    where known_at < $day::date
    qualify row_number() over (
        partition by user_id order by known_at desc, country, birth_year, signed_up_on
    ) = 1
)
select user_id, dense_rank() over (order by country) - 1 as code
from versions
where trim(country) <> ''
order by user_id
"""


def read_countries(
    connection: duckdb.DuckDBPyConnection, user_ids: pa.StringArray, day: date
) -> NDArray[np.int32]:
    """Countries known before `day` as State.country: codes count the names in ascending order."""
    table: pa.Table = connection.query(_COUNTRIES, params={"day": day}).to_arrow_table()
    user = positions(table["user_id"], user_ids)
    kept = user >= 0
    if not kept.any():
        return no_countries()
    country = np.full(len(user_ids), -1, dtype=np.int32)
    country[user[kept]] = table["code"].to_numpy()[kept]
    return country
