"""`segue ui evidently`: Evidently's own UI on the home's workspace.

Belongs here: its server on the loopback address. Does not belong here: dashboards (monitoring).
"""

import socket
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import TYPE_CHECKING

from ml.errors import SegueError
from orchestration.cli.console import console
from orchestration.home import read_home
from orchestration.settings import LOOPBACK, Settings, load_settings, prepare_process

if TYPE_CHECKING:
    from litestar import Litestar


def open_evidently(port: int) -> None:
    """Serve the workspace until Ctrl-C.

    Raises:
        SegueError: no report was written yet, or the port is taken.
    """
    settings = load_settings()
    read_home(settings)
    if not any(settings.evidently.glob("*/snapshots/*.json")):
        raise SegueError(
            f"expected snapshots in {settings.evidently}, found none; run `segue run daily`"
        )
    # Evidently reads its telemetry switch from the environment that this sets.
    prepare_process(settings)
    import uvicorn

    with _listening(port) as listener, suppress(KeyboardInterrupt):
        console.print(
            f"Evidently on {settings.evidently}: http://{LOOPBACK}:{port} (Ctrl-C ends it)"
        )
        server = uvicorn.Server(uvicorn.Config(application(settings), log_level="warning"))
        server.run(sockets=[listener])


def application(settings: Settings) -> "Litestar":
    """Evidently's own service on the home's workspace, without telemetry."""
    from evidently.ui.service.app import create_app, get_config

    workspace = str(settings.evidently)
    config = get_config(host=LOOPBACK, workspace=workspace)
    config.telemetry.enabled = False
    # get_config sets the snapshots' folder alone; dashboards would be sought in ./workspace.
    config.dashboard.path = workspace
    # It prints a line for each of its parts.
    with redirect_stdout(StringIO()):
        return create_app(config)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise SegueError(
            f"expected port {port} to be free, found it taken ({error}); "
            "run `segue ui evidently --port ANOTHER`"
        ) from error
