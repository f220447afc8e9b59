"""The whole graph on a small simulated world: history, training, two days, answers, a review."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.e2e
WORLD = ("--listeners", "250", "--tracks", "1200", "--days", "24", "--seed", "3")


def segue(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from orchestration.cli.main import main; main()", *arguments]
    environment = {"SEGUE_HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def done(home: Path, *arguments: str) -> str:
    result = segue(home, *arguments)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has lived two days after its history."""
    home = tmp_path_factory.mktemp("life") / "home"
    done(home, "simulate", *WORLD)
    done(home, "run", "train")
    done(home, "run", "daily")
    done(home, "run", "daily")
    return home


def test_the_first_model_is_champion_and_its_table_is_printed(home: Path) -> None:
    assert "repeat_memory" in done(home, "evaluate")
    assert "files verified" in done(home, "doctor")


def test_every_area_has_a_report_on_every_lived_day(home: Path) -> None:
    pages = sorted((home / "reports").glob("day=*/*.html"))
    assert len(pages) == 10
    assert max(page.stat().st_size for page in pages) < 5_000_000


def test_the_lists_of_the_first_day_have_outcomes_on_the_second(home: Path) -> None:
    page = sorted((home / "reports").glob("day=*/ranking_quality.json"))[-1]
    assert "ndcg_at_10" in page.read_text()


def test_requests_from_a_file_equal_the_batch(home: Path, tmp_path: Path) -> None:
    batch = pq.read_table(
        sorted((home / "artifacts" / "recommendations").glob("day=*/part.parquet"))[-1],
        partitioning=None,
    )
    users = batch["user_id"].unique()
    day = batch["valid_on"][0].as_py()
    requests = pa.table(
        {
            "request_id": [f"q{i}" for i in range(len(users))],
            "user_id": users,
            "surface": ["home"] * len(users),
            "at": pa.array([f"{day}T00:00:00Z"] * len(users)),
        }
    )
    pq.write_table(requests, tmp_path / "requests.parquet")
    out = tmp_path / "lists.parquet"
    done(home, "recommend", "--requests", str(tmp_path / "requests.parquet"), "--out", str(out))
    key = [("user_id", "ascending"), ("rank", "ascending")]
    answered, made = pq.read_table(out).sort_by(key), batch.sort_by(key)
    assert answered["track_id"].to_pylist() == made["track_id"].to_pylist()
    np.testing.assert_allclose(answered["score"].to_numpy(), made["score"].to_numpy(), atol=1e-6)


def test_unknown_listeners_and_anonymous_sessions_get_lists(home: Path, tmp_path: Path) -> None:
    track = pq.read_table(
        sorted((home / "artifacts" / "recommendations").glob("day=*/part.parquet"))[-1],
        partitioning=None,
    )["track_id"][0].as_py()
    (tmp_path / "requests.csv").write_text(
        "request_id,user_id,surface,at,session_track_ids\n"
        "a,nobody,home,2025-04-02T08:00:00Z,\n"
        f"b,,now_playing,2025-04-02T08:00:00Z,{track} unheard-of\n"
    )
    out = tmp_path / "lists.parquet"
    done(home, "recommend", "--requests", str(tmp_path / "requests.csv"), "--out", str(out))
    table = pq.read_table(out)
    assert pc.count_distinct(table["request_id"]).as_py() == 2


def test_the_champion_carries_the_encoder_that_made_its_vectors(home: Path) -> None:
    from ml.embeddings.encoder import load_encoder

    [path] = (home / "artifacts" / "training").glob("as_of=*/documents/serve.parquet")
    documents = pq.read_table(path, partitioning=None).slice(0, 40)
    [bundle] = (home / "artifacts" / "bundles").glob("[0-9a-f]*")
    known = pq.read_table(bundle / "tracks.parquet")["track_id"].combine_chunks()
    rows = pc.index_in(documents["track_id"], value_set=known).to_numpy()
    encoded = load_encoder(str(bundle / "encoder")).encode(documents["document"].to_pylist())
    np.testing.assert_allclose(encoded, np.load(bundle / "vectors.npy")[rows], atol=1e-6)


def test_a_recommendation_is_traced_to_its_model_and_files(home: Path) -> None:
    lists = sorted((home / "artifacts" / "recommendations").glob("day=*/part.parquet"))[-1]
    request = pq.read_table(lists, partitioning=None)["request_id"][0].as_py()
    told = done(home, "trace", request)
    assert "files verified" in told
    assert "lake/listens" in told


def test_a_report_is_closed_once_with_a_decision(home: Path) -> None:
    day = sorted((home / "reports").glob("day=*"))[0].name.removeprefix("day=")
    done(home, "review", day, "data_quality", "keep", "--note", "as expected")
    assert (home / "reports" / "reviews.jsonl").read_text().count("data_quality") >= 1
    refused = segue(home, "review", day, "data_quality", "retrain")
    assert refused.returncode == 1
    assert "a review stands" in refused.stderr


def test_a_home_that_does_not_exist_is_named_with_the_way_on(tmp_path: Path) -> None:
    result = segue(tmp_path / "none", "run", "train")
    assert result.returncode == 1
    assert "segue simulate" in result.stderr
