"""The parsed dbt project, shared between processes."""

import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.settings import DBT_PROJECT

# A project of its own for the child: the real one is prepared and used by the tests beside this one.
READ = """
import sys
from pathlib import Path
from orchestration import dbt_runs
dbt_runs.DBT_PROJECT = Path(sys.argv[1])
dbt_runs._PREPARED = dbt_runs.DBT_PROJECT / "target" / "prepared"
dbt_runs._SHARED = dbt_runs._PREPARED / "shared.json"
print(len(dbt_runs.read_manifest()["nodes"]))
"""


def copied(place: Path) -> Path:
    ignored = shutil.ignore_patterns("target", "logs")
    return Path(shutil.copytree(DBT_PROJECT, place / "dbt_project", ignore=ignored))


def start(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", READ, str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_start_together_in_a_new_clone_all_read_a_whole_manifest(
    tmp_path: Path,
) -> None:
    project = copied(tmp_path)
    started = [start(project) for _ in range(2)]
    told = [one.communicate(timeout=120) for one in started]
    assert [one.returncode for one in started] == [0, 0], told
    assert len({said for said, _ in told}) == 1


def test_a_reader_beside_a_process_that_parses_again_sees_the_manifest_as_it_was(
    tmp_path: Path,
) -> None:
    project = copied(tmp_path)
    assert start(project).wait(timeout=120) == 0
    # What dbt leaves in the middle of writing.
    (project / "target" / "prepared" / "manifest.json").write_text('{"nodes": ')
    reader = start(project)
    said, told = reader.communicate(timeout=120)
    assert reader.returncode == 0, told
    assert int(said) > 0
