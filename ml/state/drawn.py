"""What a training learns from where there is more than it can hold: the latest days, some of the listeners.

Belongs here: the draw and its SQL. Does not belong here: how much a training may hold
(ml.ranking.training.Sampling).
"""

from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from ml.state.friendships import holds_friendships

_DAYS = """
select known_on, count(*) as listens from intermediate.listens
where known_on < $day::date group by known_on order by known_on desc
"""

# Whether a listener is drawn depends on the id alone, so that a draw tells nothing of what was played.
_SHARES = 1_000_000
_LISTENERS = f"""
select user_id from intermediate.users
where first_known_on < $day::date and md5_number($seed || ':' || user_id) % {_SHARES} < $share
order by user_id
"""

_FRIENDSHIPS = """
select exists (from intermediate.friendships where first_known_on < $day::date)
"""

# SQL that follows a `where` condition, and its parameters.
Condition = tuple[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Days from `since` on, and the listeners `user_ids` in ascending order; None is all of them.

    `share` of the listeners expected, above 0, at most 1; `listens` of the days from `since` on, of everybody;
    `is_social` where friendships are known.
    """

    since: date | None
    user_ids: pa.StringArray | None
    share: float
    listens: int
    is_social: bool = False

    def text(self) -> str:
        """The draw in words."""
        days = f"listens since {self.since}" if self.since else "all listens"
        if self.user_ids is None:
            return f"{days} ({self.listens:,}), all listeners"
        part = f"{len(self.user_ids):,} listeners, {100 * self.share:.1f} % drawn by id"
        return f"{days} ({self.listens:,}), of which those of {part}"


def draw(
    connection: duckdb.DuckDBPyConnection, as_of: date, *, latest: int, most: int, seed: int
) -> Drawn:
    """What was known before `as_of`: the latest whole days that hold at most `latest` listens (one day at
    least), and of the listeners as many as `most` of those listens are expected from."""
    days = connection.execute(_DAYS, {"day": as_of}).fetchall()
    since, held = None, 0
    for number, (day, listens) in enumerate(days):
        if number and held + listens > latest:
            since = days[number - 1][0]
            break
        since, held = day, held + listens
    is_whole = not days or since == days[-1][0]
    share = min(1.0, most / held) if held else 1.0
    chosen = None
    if share < 1.0:
        asked = {"day": as_of, "seed": str(seed), "share": round(share * _SHARES)}
        found = connection.query(_LISTENERS, params=asked).to_arrow_table()
        chosen = found.combine_chunks()["user_id"].combine_chunks()
    is_social = holds_friendships(connection) and bool(
        connection.execute(_FRIENDSHIPS, {"day": as_of}).fetchall()[0][0]
    )
    return Drawn(None if is_whole else since, chosen, share, held, is_social)


def drawn_listens(drawn: Drawn | None) -> Condition:
    """Which rows of `intermediate.listens` belong to the draw."""
    condition, parameters = _of_listeners(drawn)
    if drawn is not None and drawn.since is not None:
        condition += "and known_on >= $since::date"
        parameters["since"] = drawn.since
    return condition, parameters


def drawn_pairs(drawn: Drawn | None) -> Condition:
    """Which rows of `features.user_tracks` and `features.user_artists` belong to the draw: everybody's where
    friendships are known, as what friends of friends hear is a feature."""
    return ("", {}) if drawn is not None and drawn.is_social else _of_listeners(drawn)


def _of_listeners(drawn: Drawn | None) -> Condition:
    if drawn is None or drawn.user_ids is None:
        return "", {}
    return "and user_id in (select unnest($drawn)) ", {"drawn": drawn.user_ids.to_pylist()}
