"""One tick of the daily schedule in this process: ask, run what was asked for, ask again.

Prints both answers as JSON. Run by the tests beside it, a process a home.
"""

import json
import sys
from datetime import UTC, datetime

import dagster as dg

from orchestration.definitions import defs
from orchestration.settings import load_settings, prepare_process


def asked(definitions: dg.Definitions, instance: dg.DagsterInstance) -> dict[str, object]:
    """What the schedule answers now, as Dagster's daemon would take it."""
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=datetime(2026, 1, 1, tzinfo=UTC),
        repository_def=definitions.get_repository_def(),
    ) as context:
        found = definitions.resolve_schedule_def("daily").evaluate_tick(context)
    requests = found.run_requests or []
    return {
        "partitions": [request.partition_key for request in requests],
        "tags": dict(requests[0].tags) if requests else {},
        "skip": found.skip_message,
    }


def main() -> None:
    """Ask, run, ask."""
    prepare_process(load_settings())
    definitions = defs()
    with dg.DagsterInstance.get() as instance:
        first = asked(definitions, instance)
        [day] = first["partitions"]
        result = definitions.resolve_job_def("daily").execute_in_process(
            instance=instance, partition_key=day, tags=first["tags"]
        )
        said = {"first": first, "run": result.run_id, "second": asked(definitions, instance)}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
