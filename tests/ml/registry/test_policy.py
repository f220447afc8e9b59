"""The policy file: what it says, what a home may change, and how it says no."""

from pathlib import Path

import pytest

from ml.registry.policy import Policy, PolicyError, read_policy, shipped_policy


def changed(folder: Path, text: str) -> Policy:
    """The policy of a home with this promotion.toml."""
    path = folder / "promotion.toml"
    path.write_text(text)
    return read_policy(path)


def reasons(stored: dict) -> list[str]:
    """The reason of every table that holds values."""
    found = [stored["reason"]] if "reason" in stored else []
    return found + [
        one for value in stored.values() if isinstance(value, dict) for one in reasons(value)
    ]


def test_every_rule_has_its_reason() -> None:
    told = reasons(shipped_policy().model_dump())
    assert len(told) == 2 + 6 + 5 + 5
    assert min(len(one) for one in told) > 20


def test_a_home_without_changes_has_the_shipped_policy(tmp_path: Path) -> None:
    assert read_policy(tmp_path / "promotion.toml") == shipped_policy()


def test_a_home_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    policy = changed(tmp_path, '[guardrails.novelty]\nmargin = 1\nreason = "a catalogue of hits"\n')
    assert policy.guardrails.novelty.margin == 1.0
    assert policy.guardrails.novelty.reason == "a catalogue of hits"
    assert policy.guardrails.repeats == shipped_policy().guardrails.repeats
    assert policy.primary == shipped_policy().primary


WRONG = {
    "an unknown key": (
        '[guardrails.novelty]\nmargn = 1.0\nreason = "r"',
        "expected one of margin, reason, found the unknown key guardrails.novelty.margn",
    ),
    "an unknown table": (
        '[guardrail.novelty]\nmargin = 1.0\nreason = "r"',
        "found the unknown key guardrail",
    ),
    "a text for a number": (
        '[primary]\nmargin = "small"\nreason = "r"',
        "expected primary.margin to be a valid number, found 'small'",
    ),
    "a boolean for a number": (
        '[judging]\nminimum_users = true\nreason = "r"',
        "expected judging.minimum_users to be a valid integer, found True",
    ),
    "a margin below zero": (
        '[primary]\nmargin = -0.1\nreason = "r"',
        "expected primary.margin to be greater than or equal to 0, found -0.1",
    ),
    "a floor above zero": (
        '[floors.new_only]\nfloor = 0.1\nreason = "r"',
        "expected floors.new_only.floor to be less than or equal to 0, found 0.1",
    ),
    "no number at all": (
        '[guardrails.gini]\nmargin = nan\nreason = "r"',
        "expected guardrails.gini.margin to be a finite number",
    ),
    "a number for a table": ("floors = 3\nreason = 'r'", "expected floors to be"),
    "an invariant switched off": (
        '[invariants.no_track_twice]\nuse = false\nreason = "r"',
        "unknown key invariants.no_track_twice.use",
    ),
    "no TOML": ("[primary", "expected TOML in promotion.toml"),
    "no reason": ("[primary]\nmargin = 0.1", "expected a `reason` in every table"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PolicyError) as error:
        changed(tmp_path, text)
    assert said in str(error.value)
    assert "promotion.toml" in str(error.value)
