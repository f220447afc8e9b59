"""Which columns a column comes from, read from SQL by hand."""

from orchestration.lineage import column_lineage

SCHEMA = {"s.t": {"x": "int", "y": "int", "z": "date"}, "s.u": {"x": "int"}}


def test_a_renamed_column_comes_from_where_it_was_read() -> None:
    found = column_lineage("select x as a, y + z as b from s.t", "s.made", SCHEMA)
    assert found == {"a": [("s.t", "x")], "b": [("s.t", "y"), ("s.t", "z")]}


def test_a_union_by_name_joins_columns_by_name_though_their_places_differ() -> None:
    sql = """
        with few as (select x as y from s.u),
        both as (
            select x, y, z from s.t union all by name select *, cast(null as date) as z from few
        )
        select z, y, x from both
    """
    assert column_lineage(sql, "s.made", SCHEMA) == {
        "z": [("s.t", "z")],
        "y": [("s.t", "y"), ("s.u", "x")],
        "x": [("s.t", "x")],
    }


def test_a_models_own_earlier_rows_are_no_source() -> None:
    sql = "select x from s.u union all select x from s.t"
    assert column_lineage(sql, "s.t", SCHEMA) == {"x": [("s.u", "x")]}
