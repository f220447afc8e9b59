"""A full disk is recognised by what the libraries say of it, and told with folder, room and command."""

import errno
import shutil
import sys
from pathlib import Path

import pytest

from orchestration.cli import errors
from orchestration.full_disk import advised, is_full, kinds, says_full, told

FULL = OSError(errno.ENOSPC, "No space left on device", "x.parquet")


@pytest.mark.parametrize(
    "text",
    [
        "IO Error: Could not write file: No space left on device",
        "(sqlite3.OperationalError) database or disk is full",
        "14080 requested and 512 written",
        "[Errno 122] Disk quota exceeded",
    ],
)
def test_the_words_of_the_libraries_are_known(tmp_path: Path, text: str) -> None:
    assert says_full(text, tmp_path)
    assert is_full(RuntimeError(text), tmp_path)


def test_an_error_that_came_from_a_full_disk_is_one(tmp_path: Path) -> None:
    error = RuntimeError("could not save")
    error.__cause__ = FULL
    assert is_full(error, tmp_path)


def test_other_errors_are_none(tmp_path: Path) -> None:
    assert not is_full(FileNotFoundError(errno.ENOENT, "no such file"), tmp_path)
    assert advised("expected a champion, found none", tmp_path, "segue run train") == (
        "expected a champion, found none"
    )


def test_a_disk_with_room_is_not_full_whatever_sqlite_says(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < 2**30:
        pytest.skip("this disk is nearly full")
    assert not says_full("disk I/O error", tmp_path)


def test_the_folder_the_room_and_the_command_are_told(tmp_path: Path) -> None:
    text = advised("no room: No space left on device", tmp_path, "segue run train")
    assert text.startswith("no room: No space left on device\n")
    assert f"expected room on the disk of {tmp_path}" in text
    assert "MB free of" in text
    assert text.endswith("make room and run `segue run train` again")
    assert str(tmp_path) in told(tmp_path / "not" / "there", "segue run train")


def test_errors_of_libraries_count_where_they_are_imported() -> None:
    import sqlite3

    assert {OSError, sqlite3.Error} <= set(kinds())


def test_a_command_ends_with_what_to_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer

    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["segue", "import", "my files"])
    with pytest.raises(typer.Exit), errors.told():
        raise FULL
    assert "run `segue import 'my files'` again" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_no_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError), errors.told():
        raise FileNotFoundError("x")
