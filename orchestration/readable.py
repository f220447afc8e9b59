"""Tables as people read them in the Dagster UI and the terminal.

Belongs here: formatting. Does not belong here: what is shown.
"""

import pyarrow as pa


def cell(value: object) -> str:
    """A value in a table: four digits after the point, nothing for null, a list by its words."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return ", ".join(cell(one) for one in value)
    # A bar or a line end would begin another cell or row.
    return str(value).replace("|", "\\|").replace("\n", " ")


def table_markdown(table: pa.Table) -> str:
    """A small Arrow table as markdown."""
    rows = [[cell(value) for value in row.values()] for row in table.to_pylist()]
    lines = [
        "| " + " | ".join(table.column_names) + " |",
        "|" + " --- |" * len(table.column_names),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines)
