"""The commands on models that served: `segue history`, `rollback`, `reproduce` and `trace`.

Belongs here: their arguments and help. Does not belong here: their work (the modules beside this one,
imported when a command runs).
"""

from typing import Annotated

import typer

from orchestration.cli.errors import told


def history(
    every: Annotated[
        bool, typer.Option("--all", help="Also the decisions that promoted nobody.")
    ] = False,
) -> None:
    """Say what served when, why, against whom, and who stepped back."""
    with told():
        from orchestration.cli.history import print_history

        print_history(every)


def rollback(
    version: Annotated[str, typer.Argument(help="A version that served (default: before).")] = "",
    why: Annotated[str, typer.Option(help="The reason, kept in the history.")] = "",
) -> None:
    """Let the model serve again that served before the champion."""
    with told():
        from orchestration.cli.rolling_back import roll_back

        roll_back(version, why)


def reproduce(
    version: Annotated[str, typer.Argument(help="A bundle, as `segue history` names it.")],
) -> None:
    """Train a model again from its manifest and the lake, and compare."""
    with told():
        from orchestration.cli.reproducing import reproduce as train_again

        train_again(version)


def trace(
    request_id: Annotated[str, typer.Argument(help="As in a list of recommendations.")],
    track: Annotated[str, typer.Option(help="A track of the list (default: the first).")] = "",
) -> None:
    """Walk a shown track back to scores, features, model, training window and source files."""
    with told():
        from orchestration.cli.tracing import trace_request

        trace_request(request_id, track)


def register(app: typer.Typer) -> None:
    """Add the commands to `segue`."""
    for command in (trace, history, rollback, reproduce):
        app.command()(command)
