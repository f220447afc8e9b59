"""`segue serve` starts on a home with a champion, ends in order, and says what is missing."""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from ml.candidates.popularity import Popularity
from ml.errors import SegueError
from ml.policy.rules import DEFAULT_RULES
from ml.ranking.surface import SurfaceSources
from ml.registry.bundle import BundleFacts, write_bundle
from ml.registry.pointer import write_pointer
from ml.serving.recommender import SurfaceModel
from ml.serving.saved import write_recommender
from ml.state.catalogue import Catalogue
from ml.state.columns import Columns, PairTable
from ml.state.publish import publish_state
from ml.state.state import (
    TRACK_COLUMNS,
    USER_ARTIST_COLUMNS,
    USER_COLUMNS,
    USER_TRACK_COLUMNS,
    State,
)
from orchestration.cli.serving import Serving, service_settings
from orchestration.home import LIVE, Home, Source, write_home
from orchestration.settings import Settings

PLAIN = Serving("127.0.0.1", 0, 1, 1_000.0, 8, 0.0)
TODAY = datetime.now(UTC).date()


def no_pairs(names: tuple[str, ...], items: int) -> PairTable:
    """Nobody has played anything."""
    columns = Columns(names, np.zeros((len(names), 0), np.float32))
    return PairTable(np.zeros(2, np.int64), np.zeros(0, np.int32), columns, items)


def small_state(valid_on: date) -> State:
    """Three tracks of one artist, played 1, 2 and 3 times, and one listener without a past."""
    zero = np.zeros(3, np.int32)
    totals = np.tile(np.arange(1.0, 4.0, dtype=np.float32), (len(TRACK_COLUMNS), 1))
    catalogue = Catalogue(
        track_ids=pa.array(["t0", "t1", "t2"]),
        titles=pa.array(["A", "B", "C"]),
        artist_names=pa.array(["Z"] * 3),
        artist_ids=pa.array(["a0"]),
        artist=zero,
        album=zero,
        recording=np.arange(3, dtype=np.int32),
        released_day=zero,
        first_known_day=zero,
        duration_ms=np.full(3, 200_000, np.float32),
        explicit=np.zeros(3, np.int8),
        audio=np.zeros((3, 7), np.float32),
        genres=sparse.csr_matrix(np.ones((3, 1), np.float32)),
    )
    return State(
        valid_on,
        catalogue,
        pa.array(["u0"]),
        Columns(USER_COLUMNS, np.zeros((len(USER_COLUMNS), 1), np.float32)),
        Columns(TRACK_COLUMNS, totals),
        no_pairs(USER_TRACK_COLUMNS, 3),
        no_pairs(USER_ARTIST_COLUMNS, 1),
    )


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A live home whose champion answers by popularity."""
    settings = Settings(tmp_path / "home")
    monkeypatch.setenv("SEGUE_HOME", str(settings.home))
    write_home(settings, Home(date(2026, 1, 1), None, Source(LIVE)))
    state = small_state(TODAY)
    models = {
        name: SurfaceModel(
            SurfaceSources(name, {"popularity": Popularity()}, None),
            None,
            "popularity",
            DEFAULT_RULES[name],
        )
        for name in ("home", "now_playing")
    }
    facts = BundleFacts("2026-03-10", 7, "test", {}, {}, {}, {})

    def write(folder: Path) -> None:
        write_recommender(folder, state.catalogue.track_ids, None, models)

    version = write_bundle(settings.bundles, write, facts)
    publish_state(state, settings.states)
    write_pointer(settings.champion_pointer, version, "2026-03-10T00:00:00+00:00")
    return settings


@pytest.fixture
def started(settings: Settings) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    """A function that starts the command and returns its process and port."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], int]:
        code = "from orchestration.cli.main import main; main()"
        environment = {"SEGUE_HOME": str(settings.home), "PATH": "/usr/bin:/bin", "COLUMNS": "300"}
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", code, "serve", "--port", "0", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+) ", line)
        assert found is not None, line + process.stdout.read()
        return process, int(found[1])

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def call(port: int, method: str, path: str, body: object = None) -> tuple[int, str]:
    """Status and body; the connection waits in the backlog until a worker is there."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_until_it_is_told_to_end_and_ends_in_order(started, settings, workers) -> None:
    process, port = started("--workers", workers, "--deadline-ms", "10000")
    assert call(port, "GET", "/ready")[0] == 200
    status, text = call(port, "POST", "/v1/home", {"user_id": "u0", "k": 2})
    assert status == 200
    assert [track["track_id"] for track in json.loads(text)["tracks"]] == ["t2", "t1"]
    page = call(port, "GET", "/metrics")[1]
    assert 'segue_requests_total{path="/v1/home",status="200"} 1.0' in page
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[0] == "ended\n"
    assert process.returncode == 0
    (journal,) = settings.events.glob("day=*/*.jsonl")
    assert len(journal.read_text().splitlines()) == 2


def test_a_taken_port_is_named_with_the_way_out(started, settings) -> None:
    _, port = started()
    code = "from orchestration.cli.main import main; main()"
    environment = {"SEGUE_HOME": str(settings.home), "PATH": "/usr/bin:/bin", "COLUMNS": "300"}
    second = subprocess.run(
        [sys.executable, "-c", code, "serve", "--port", str(port)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "choose another --port" in second.stderr


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"workers": 0}, "--workers of at least 1"),
        ({"capacity": 0}, "--capacity of at least 1"),
        ({"deadline_ms": 0.0}, "--deadline-ms above 0"),
        ({"host": "0.0.0.0"}, "SEGUE_TOKEN"),
    ],
)
def test_limits_that_make_no_sense_are_refused(settings, changed, message) -> None:
    with pytest.raises(SegueError, match=message):
        service_settings(settings, replace(PLAIN, **changed))


def test_a_token_opens_other_addresses(settings, monkeypatch) -> None:
    monkeypatch.setenv("SEGUE_TOKEN", "secret")
    assert service_settings(settings, replace(PLAIN, host="0.0.0.0")).token == "secret"


def test_without_a_home_or_a_model_the_mending_command_is_named(settings, tmp_path) -> None:
    with pytest.raises(SegueError, match="segue simulate"):
        service_settings(Settings(tmp_path / "nothing"), PLAIN)
    settings.champion_pointer.unlink()
    with pytest.raises(SegueError, match="segue run train"):
        service_settings(settings, PLAIN)


def test_a_live_home_follows_the_clock_and_a_replayed_one_its_last_day(settings) -> None:
    assert not service_settings(settings, PLAIN).replayed
    write_home(settings, Home(date(2026, 1, 1), date(2026, 3, 9), Source(LIVE)))
    assert service_settings(settings, PLAIN).replayed
