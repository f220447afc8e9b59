"""Heavy libraries load when they are used, not when a package is imported."""

import subprocess
import sys

HEAVY = (
    "numba",
    "torch",
    "sentence_transformers",
    "xgboost",
    "evidently",
    "mlflow",
    "dagster",
    "dbt",
)


def loaded(statement: str) -> set[str]:
    """Heavy libraries that a fresh interpreter holds after a statement."""
    code = f"{statement}; import sys; print([n for n in {HEAVY!r} if n in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(ast_list(result.stdout))


def ast_list(text: str) -> list[str]:
    """A printed list of names."""
    return [name.strip(" '\n") for name in text.strip("[]\n ").split(",") if name.strip(" '\n")]


def test_the_command_line_loads_nothing_heavy() -> None:
    assert loaded("import orchestration.cli.main") == set()


def test_ml_loads_nothing_heavy() -> None:
    assert loaded("import ml.serving.recommender, ml.ranking.steps, ml.registry.models") == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert loaded("import xgboost") == {"xgboost"}
