"""What served is told with its reasons; a step back is taken, recorded, or refused with nothing changed."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from ml.errors import SegueError
from ml.registry.bundle import BundleError
from ml.registry.models import ALIAS, MODEL, Promotion
from ml.registry.pointer import read_pointer
from ml.registry.records import append_record, read_records
from orchestration.cli.history import Reign, print_history, reigns
from orchestration.cli.rolling_back import roll_back, step_back
from orchestration.settings import Settings
from tests.orchestration.served import NOON, mlflow_tables, prepared, registry, served

__all__ = ["mlflow_tables", "prepared"]
LATER = datetime(2026, 4, 1, 9, tzinfo=UTC)


def back(home: Settings, version: str = "", why: str = "skips") -> Promotion:
    return step_back(home, registry(), version, why, "ada", LATER)


def test_the_version_before_serves_again_and_registry_pointer_and_record_say_so(
    prepared: Settings,
) -> None:
    first, second = served(prepared, 2)
    back(prepared)
    assert registry().champion() == first
    assert read_pointer(prepared.champion_pointer).version == first
    [record] = read_records(prepared.decisions)
    assert record == {
        "kind": "rollback",
        "version": first,
        "at": LATER.isoformat(),
        "reason": f"rolled back from {second}: skips",
        "against": second,
        "by": "ada",
    }
    assert registry().history()[-1].is_rollback


def test_any_version_that_served_may_be_named(prepared: Settings) -> None:
    first, _, _ = served(prepared, 3)
    back(prepared, first)
    assert registry().champion() == first


def test_a_step_back_is_under_five_seconds_of_work(prepared: Settings) -> None:
    served(prepared, 2)
    registry().champion()
    began = time.process_time()
    back(prepared)
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize("why", ["", "  "])
def test_without_a_reason_nobody_steps_back(prepared: Settings, why: str) -> None:
    _, second = served(prepared, 2)
    with pytest.raises(SegueError, match="--why"):
        back(prepared, why=why)
    assert registry().champion() == second


def test_a_bundle_that_does_not_verify_is_refused_and_nothing_changes(prepared: Settings) -> None:
    first, second = served(prepared, 2)
    (prepared.bundles / first / "numbers.npy").write_bytes(b"124")
    with pytest.raises(BundleError, match=r"numbers\.npy differs from its hash"):
        back(prepared)
    assert registry().champion() == second
    assert read_pointer(prepared.champion_pointer).version == second
    assert read_records(prepared.decisions) == []
    assert len(registry().history()) == 2


def test_the_first_champion_has_nobody_to_step_back_to(prepared: Settings) -> None:
    served(prepared, 1)
    with pytest.raises(SegueError, match="it is the first"):
        back(prepared)


def test_a_version_that_never_served_is_refused_with_those_that_did(prepared: Settings) -> None:
    first, _ = served(prepared, 2)
    with pytest.raises(SegueError, match=rf"\({first}\), found zzz; `segue history`"):
        back(prepared, "zzz")


def test_the_command_tells_what_serves_and_who_asked(
    prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = served(prepared, 2)
    roll_back("", "too many skips", by="ada")
    assert f"{first} serves again instead of {second}: too many skips" in capsys.readouterr().out
    assert registry().history()[-1].by == "ada"


def test_a_promotion_killed_before_its_alias_is_no_reign_and_no_version_to_step_back_to(
    prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = served(prepared, 3)
    number = str(registry()._find(second).version)
    registry()._client.set_registered_model_alias(MODEL, ALIAS, number)
    print_history(every=False)
    assert third not in capsys.readouterr().out.replace("\n", "")
    with pytest.raises(SegueError, match=rf"\({first}\), found {third}"):
        back(prepared, third)
    assert back(prepared).version == first


def test_each_reign_ends_where_the_next_begins() -> None:
    week = (NOON + timedelta(days=7)).isoformat()
    history = [
        Promotion("a", NOON.isoformat(), "passed the gate", None),
        Promotion("b", week, "rolled back from a: skips", "a", "ada"),
    ]
    assert reigns(history) == [
        Reign("a", NOON.isoformat(), week, None, "the gate", "passed the gate"),
        Reign("b", week, None, "a", "ada", "rolled back from a: skips"),
    ]
    assert reigns([]) == []


def test_the_history_shows_reigns_reasons_and_who_stepped_back(
    prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = served(prepared, 2)
    back(prepared)
    prepared.champion_pointer.unlink()
    print_history(every=False)
    rows = [line for line in capsys.readouterr().out.splitlines() if "│" in line]
    texts = [" ".join(line.replace("│", " ").split()) for line in rows]
    assert texts[0].startswith(f"{first} 2026-03-02 12:00 2026-03-09 12:00 the gate passed the")
    assert any(
        one.startswith(f"{second} 2026-03-09 12:00 2026-04-01 09:00 {first}") for one in texts
    )
    assert any(
        one.startswith(f"{first} 2026-04-01 09:00 now {second} ada rolled back") for one in texts
    )
    assert read_pointer(prepared.champion_pointer).version == first


def test_decisions_that_promoted_nobody_are_counted_and_shown_when_asked_for(
    prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    [first] = served(prepared, 1)
    refused = {
        "challenger": "new",
        "champion": first,
        "summary": "1 of 9 rules fail: novelty [home]",
    }
    record = {"kind": "decision", "at": NOON.isoformat(), "promote": False, **refused}
    append_record(prepared.decisions, record)
    print_history(every=False)
    assert "1 decisions promoted nobody: `segue history --all`" in capsys.readouterr().out
    print_history(every=True)
    assert "novelty [home]" in capsys.readouterr().out


def test_a_home_without_a_model_has_no_history(
    prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    print_history(every=True)
    assert "No model has served yet." in capsys.readouterr().out
