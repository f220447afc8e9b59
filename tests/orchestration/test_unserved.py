"""Where no model serves, the advice tells a home never trained from one whose model was refused."""

import json
from pathlib import Path

from orchestration.unserved import advice


def test_a_home_never_trained_is_told_to_train(tmp_path: Path) -> None:
    assert advice(tmp_path) == "run `segue run train`"


def test_a_training_that_ended_before_the_gate_is_run_again(tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text(json.dumps({"run": "as_of=2025-05-01"}))
    assert advice(tmp_path) == "run `segue run train`"


def test_a_refused_model_is_not_trained_again_in_vain(tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text(json.dumps({"run": "as_of=2025-05-01"}))
    evaluation = tmp_path / "as_of=2025-05-01" / "evaluation"
    evaluation.mkdir(parents=True)
    (evaluation / "decision.json").write_text("{}")
    assert "`segue evaluate` says why" in advice(tmp_path)
