"""Who imports whom, and what no file does."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What each package may import of ours; monitoring takes only these parts of ml.
ALLOWED = {
    "ml": ("ml",),
    "monitoring": ("monitoring", "ml.tables", "ml.errors", "ml.files", "ml.lines", "ml.evaluation"),
    "orchestration": ("ml", "monitoring", "orchestration"),
}
FORBIDDEN = {
    "ml": ("dagster", "dbt", "evidently", "dagster_dbt"),
    "monitoring": ("dagster", "dbt", "dagster_dbt", "xgboost", "torch"),
}
FILES = sorted(path for package in ALLOWED for path in (ROOT / package).rglob("*.py"))


def imported(source: str) -> list[str]:
    """Names of all modules that a source imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def crossings(package: str, source: str) -> list[str]:
    """Imports that cross a layer."""
    ours = tuple(ALLOWED)
    wrong = []
    for name in imported(source):
        root = name.split(".")[0]
        if root in ours:
            inside = any(name == one or name.startswith(f"{one}.") for one in ALLOWED[package])
            wrong += [] if inside else [name]
        elif root in FORBIDDEN.get(package, ()):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_crosses_a_layer(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert crossings(package, path.read_text()) == []


def test_an_import_that_crosses_a_layer_is_found() -> None:
    assert crossings("ml", "def f():\n    from orchestration.home import Home") == [
        "orchestration.home"
    ]
    assert crossings("ml", "import dagster as dg") == ["dagster"]
    assert crossings("monitoring", "from ml.ranking.run import TrainingRun") == ["ml.ranking.run"]


def test_package_markers_are_empty() -> None:
    assert [p for p in FILES if p.name == "__init__.py" and p.read_text()] == []


def test_no_module_is_called_utils_helpers_or_common() -> None:
    assert [p for p in FILES if p.stem in ("utils", "helpers", "common")] == []


def test_only_settings_read_the_environment() -> None:
    readers = [
        str(p.relative_to(ROOT))
        for p in FILES
        if re.search(r"os\.(environ\b(?!\.update|\[)|getenv)", p.read_text())
    ]
    assert set(readers) <= {"orchestration/settings.py", "orchestration/cli/serving_ui.py"}


def test_no_duckdb_relation_of_sql_is_used() -> None:
    assert [str(p) for p in FILES if re.search(r"\bconnection\.sql\(", p.read_text())] == []


def test_orchestration_evaluates_its_annotations() -> None:
    """Dagster reads them at run time: a future import turns config classes into strings."""
    future = "from __future__ import annotations"
    assert [str(p) for p in FILES if "orchestration" in p.parts and future in p.read_text()] == []
