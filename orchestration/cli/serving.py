"""`segue serve`: the champion over HTTP.

Belongs here: the settings of the service from the home, its server and workers, its end. Does not belong
here: the service (ml.serving.service).
"""

import os
import shutil
import signal
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from ml.errors import SegueError
from ml.registry.pointer import heal_pointer, read_pointer
from orchestration.cli.console import console
from orchestration.home import read_home
from orchestration.settings import Settings, load_settings, prepare_process

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ml.serving.service.settings import ServiceSettings

# Connections that wait to be accepted: beyond them the system refuses, nothing queues without end.
_BACKLOG = 256
_PATIENCE = 10
_KEEP_ALIVE = 30
# Of the interpreter's 5 ms an answer that has 10 would lose half to whoever writes a line meanwhile.
_GIVES_WAY = 0.0005


@dataclass(frozen=True, slots=True)
class Serving:
    """What `segue serve` was asked for; see ml.serving.service.settings for the limits."""

    host: str
    port: int
    workers: int
    deadline_ms: float
    capacity: int
    rate: float


def application(settings: "ServiceSettings") -> "FastAPI":
    """The application of one worker process, on the machine's clocks."""
    from threadpoolctl import threadpool_limits

    from ml.serving.service.app import create_app
    from ml.serving.service.service import Service

    # Workers share the cores: a matrix product on two threads would wait for the other worker's.
    threadpool_limits(1)
    # What runs beside the answers (the journal, the watch for models) gives way after this many seconds.
    sys.setswitchinterval(_GIVES_WAY)
    return create_app(Service(settings, lambda: datetime.now(UTC), perf_counter))


def service_settings(settings: Settings, asked: Serving) -> "ServiceSettings":
    """The service's settings on this home.

    Raises:
        SegueError: no home, no model that serves, or a limit that makes no sense.
    """
    from ml.serving.service.settings import ServiceSettings

    home = read_home(settings)
    for name, value in (("workers", asked.workers), ("capacity", asked.capacity)):
        if value < 1:
            raise SegueError(f"expected --{name} of at least 1, found {value}")
    if asked.deadline_ms <= 0:
        raise SegueError(f"expected --deadline-ms above 0, found {asked.deadline_ms:g}")
    if asked.host not in ("127.0.0.1", "::1", "localhost") and not settings.serve_token:
        raise SegueError(
            f"expected a token where others can reach the service ({asked.host}), found none; "
            "set SEGUE_TOKEN, or serve on 127.0.0.1"
        )
    if read_pointer(settings.champion_pointer) is None:
        from orchestration.resources import RegistryResource

        if heal_pointer(settings.champion_pointer, RegistryResource().open()) is None:
            raise SegueError("expected a model that serves, found none; run `segue run train`")
    return ServiceSettings(
        bundles=settings.bundles,
        states=settings.states,
        pointer=settings.champion_pointer,
        journal=settings.events,
        token=settings.serve_token,
        deadline_ms=asked.deadline_ms,
        capacity=asked.capacity,
        rate=asked.rate,
        replayed=home.last_day is not None,
        metrics=_shared_metrics(settings) if asked.workers > 1 else None,
    )


def _shared_metrics(settings: Settings) -> Path:
    """An empty folder for the workers' metrics; prometheus_client learns of it when it is imported."""
    folder = settings.home / "log" / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ.update({"PROMETHEUS_MULTIPROC_DIR": str(folder)})
    return folder


def _listening(asked: Serving) -> socket.socket:
    family = socket.AF_INET6 if ":" in asked.host else socket.AF_INET
    try:
        return socket.create_server((asked.host, asked.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SegueError(
            f"expected {asked.host}:{asked.port} to be free, found it is not ({error}); "
            "end what listens there or choose another --port"
        ) from error


def serve(asked: Serving) -> None:
    """Serve until SIGINT or SIGTERM; what is under way is finished first."""
    import uvicorn
    from uvicorn.supervisors.multiprocess import Multiprocess

    settings = load_settings()
    told = service_settings(settings, asked)
    prepare_process(settings)
    listening = _listening(asked)
    config = uvicorn.Config(
        partial(application, told),
        factory=True,
        workers=asked.workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_PATIENCE,
    )
    port = listening.getsockname()[1]
    console.print(
        f"http://{asked.host}:{port} serves {settings.home} ({asked.workers} worker(s), "
        f"{'token needed' if told.token else 'open to this machine'}); /ready, /openapi.json, /metrics"
    )
    # uvicorn raises the signal again once it has ended; ended in order is no failure.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: None)
    with listening:
        if asked.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])
    console.print("ended")
