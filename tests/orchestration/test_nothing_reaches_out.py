"""A registry opened as the graph opens it looks no host up and writes under the home alone."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# MLflow tells its makers at the end of the process, and not at all while it is under pytest.
ALONE = """
import atexit, socket, sys
from datetime import UTC, datetime
asked = []
def refuse(host, *rest, **named):
    asked.append(host)
    raise OSError(f"no host may be looked up, found {host}")
socket.getaddrinfo = refuse
atexit.register(lambda: sys.stdout.write(f"looked up: {asked}"))
from orchestration.resources import RegistryResource
from orchestration.settings import load_settings, prepare_process
prepare_process(load_settings())
registry = RegistryResource().open()
registry.log_run("aaa", {"seed": 7}, {"home/ndcg_at_10": 0.25}, {"decision.md": "Promote"})
registry.promote("aaa", "passed the gate against popularity", datetime(2026, 1, 2, tzinfo=UTC))
assert registry.champion() == "aaa"
"""


def test_a_promotion_looks_no_host_up_and_writes_under_the_home_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    result = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=elsewhere,
        env={
            "SEGUE_HOME": str(tmp_path / "home"),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.endswith("looked up: []")
    assert list(elsewhere.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "home"]
