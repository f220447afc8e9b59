"""Backfills over ranges of days as Dagster's UI launches them: one run a range, told by two tags.

Each argument is GROUPS:FIRST:LAST, groups comma-separated. Prints the fingerprint of every feature table
before all, then for each range whether it succeeded, what was said and the fingerprints after it, as
JSON. Run by the tests beside it, a process a home.
"""

import json
import sys

import dagster as dg
import duckdb

from orchestration.definitions import defs
from orchestration.keys import STATE
from orchestration.notify import failure_text
from orchestration.settings import Settings, load_settings, prepare_process


def fingerprints(settings: Settings) -> dict[str, list[object]]:
    """Rows and a hash over the rows of every feature table; the order of rows does not count."""
    found = {}
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        for key in STATE:
            table = ".".join(key.path)
            query = f"select count(*), cast(bit_xor(hash(t)) as varchar) from {table} as t"
            found[table] = list(connection.execute(query).fetchall()[0])
    return found


def launched(
    definitions: dg.Definitions, instance: dg.DagsterInstance, groups: str, first: str, last: str
) -> tuple[bool, str]:
    """Whether a run of the groups over [first, last] succeeded, and the failed step's words."""
    selection = dg.AssetSelection.groups(*groups.split(","))
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=list(selection.resolve(definitions.resolve_asset_graph())),
        tags={
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        },
        raise_on_error=False,
    )
    return result.success, failure_text(result.all_events)


def main(*ranges: str) -> None:
    """Launch the ranges one after another."""
    settings = load_settings()
    prepare_process(settings)
    definitions = defs()
    said: list[dict[str, object]] = [{"tables": fingerprints(settings)}]
    with dg.DagsterInstance.get() as instance:
        for one in ranges:
            success, text = launched(definitions, instance, *one.split(":"))
            said.append({"success": success, "text": text, "tables": fingerprints(settings)})
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
