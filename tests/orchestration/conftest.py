"""A home in a temporary folder, and the option that accepts a changed graph."""

from pathlib import Path

import pytest

from orchestration.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    return load_settings()
