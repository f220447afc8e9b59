"""What becomes known later changes no row that was valid before."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ml.tables import LISTENS
from tests.dbt.conftest import DAYS, FIRST, STATE, Home, assert_same, day, instant, small_world

CUT = 5


def assert_same_before(left: Home, right: Home, cut: date) -> None:
    """Every row that answers for days up to the cut is the same."""
    for name in STATE:
        where = f"valid_from <= date '{cut}'"
        rows = left.rows(f"features.{name}", where)
        assert rows.num_rows > 0
        assert_same(rows, right.rows(f"features.{name}", where))
    for relation in ("intermediate.listens", "marts.daily_listening"):
        where = f"known_on < date '{cut}'"
        assert_same(left.rows(relation, where), right.rows(relation, where))


def rewritten(listens: pa.Table) -> pa.Table:
    """Every listen known from the cut on: other listener, track, length and session."""
    later = pc.greater_equal(listens["known_at"], pa.scalar(instant(CUT)))
    swapped = {
        "user_id": pc.replace_substring(listens["user_id"], "u0", "u1"),
        "track_id": pc.replace_substring(listens["track_id"], "t0", "t2"),
        "ms_played": pc.if_else(pc.is_null(listens["ms_played"]), 5, None),
        "session_id": pc.if_else(pc.is_null(listens["session_id"]), listens["listen_id"], None),
        "played_at": pc.if_else(later, listens["played_at"][0], listens["played_at"]),
    }
    for name, values in swapped.items():
        at = listens.schema.get_field_index(name)
        chosen = pc.if_else(later, values.cast(listens.schema.field(name).type), listens[name])
        listens = listens.set_column(at, listens.schema.field(at), chosen)
    return listens


def test_rewriting_everything_known_from_a_cut_changes_nothing_before_it(
    full: Home, home: Home
) -> None:
    listens, tracks = small_world()
    home.write("listens", rewritten(listens))
    known = pc.less(tracks["known_at"], pa.scalar(instant(CUT)))
    home.write("tracks", tracks.filter(known))
    home.run(FIRST, day(DAYS))
    assert_same_before(full, home, day(CUT))
    after = "valid_from > date '" + str(day(CUT)) + "'"
    assert not full.rows("features.users", after).equals(home.rows("features.users", after))


@pytest.fixture(scope="module")
def with_late_listen(full: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One more listen, known on the cut's day and played at the instant of one known days before."""
    home = full.copy(tmp_path_factory.mktemp("late"))
    listens, _ = small_world()
    played = pc.filter(
        listens["played_at"],
        pc.and_(
            pc.equal(listens["user_id"], "u00"),
            pc.less(listens["known_at"], pa.scalar(instant(CUT - 1))),
        ),
    )
    late = {
        "listen_id": "late",
        "user_id": "u00",
        "track_id": "t-late",
        "surface": "home",
        "played_at": pc.max(played).as_py(),
        "known_at": instant(CUT, "23:59"),
        "ms_played": 100_000,
    }
    row = pa.Table.from_pylist([late], schema=LISTENS.schema)
    home.write("listens", pa.concat_tables([listens, row]))
    home.run(FIRST, day(DAYS))
    return home


def test_a_late_listen_changes_no_row_at_or_before_its_known_day(
    full: Home, with_late_listen: Home
) -> None:
    assert_same_before(full, with_late_listen, day(CUT))
    pair = with_late_listen.rows("features.user_tracks", "track_id = 't-late'").to_pylist()
    assert [(row["valid_from"], row["plays"]) for row in pair] == [(day(CUT + 1), 1)]
    age = (instant(CUT + 1) - pair[0]["first_played_at"]).total_seconds() / 86_400
    assert pair[0]["streams_h3"] == pytest.approx(2 ** (-age / 3), abs=1e-12)


def test_a_late_listen_gets_a_session_of_its_own(full: Home, with_late_listen: Home) -> None:
    columns = "listen_id, session_id, position"
    query = f"select {columns} from intermediate.listens where listen_id != 'late' order by 1"
    assert with_late_listen.query(query).equals(full.query(query))
    late = with_late_listen.rows("intermediate.listens", "listen_id = 'late'").to_pylist()[0]
    assert late["position"] == 0
    assert late["session_id"] not in full.rows("intermediate.listens")["session_id"].to_pylist()
