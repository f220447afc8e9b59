"""Processor time of an answer between its bytes and its bytes, without a socket.

    python -m tests.benchmarks.serving_handler HOME

Belongs here: the application called on this thread, one listener after the other, each once. Does not belong here: time
on the wire (bench_serving). Lists are made on the loop's thread, whose clock counts all of an answer but what other
threads write behind it.
"""

import asyncio
import gc
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from starlette.types import ASGIApp

from ml.serving.service.app import create_app
from ml.serving.service.service import Service
from ml.serving.service.settings import ServiceSettings
from ml.state.state import State
from orchestration.settings import Settings
from tests.benchmarks.serving_calls import SURFACES, questions

_WARM, _ASKED = 30, 400


async def call(app: ASGIApp, path: str, body: bytes) -> None:
    """One call; an answer other than 200 ends the bench."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message.get("status", 200) != 200:
            raise SystemExit(f"expected status 200, found {message['status']}")

    await app(scope, receive, send)


def bodies(state: State, surface: str) -> list[bytes]:
    """Calls of distinct listeners drawn at random."""
    asked = questions(state, surface, _WARM + _ASKED, seed=17)
    return [
        orjson.dumps(
            {"user_id": one.user_id, "k": 20}
            | ({"session_track_ids": list(one.session)} if surface != "home" else {})
        )
        for one in asked
    ]


async def measured(service: Service) -> dict[str, float]:
    """Median milliseconds of processor time of an answer by surface."""
    app, found = create_app(service), {}
    service.start()
    gc.collect()
    gc.freeze()
    for surface, path in SURFACES.items():
        spent = []
        for body in bodies(service.served().recommender.state, surface):
            began = time.thread_time()
            await call(app, path, body)
            spent.append(time.thread_time() - began)
        found[surface] = float(np.median(spent[_WARM:]) * 1e3)
    await service.stop()
    return found


def main() -> None:
    """Print the medians as JSON."""
    settings = Settings(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as name:
        told = ServiceSettings(
            bundles=settings.bundles,
            states=settings.states,
            pointer=settings.champion_pointer,
            journal=Path(name) / "events",
            deadline_ms=5_000,
            replayed=True,
        )
        service = Service(told, lambda: datetime.now(UTC), time.perf_counter)
        sys.stdout.write(json.dumps(asyncio.run(measured(service))) + "\n")


if __name__ == "__main__":
    main()
