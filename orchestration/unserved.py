"""What to say where no model serves.

Belongs here: telling "never trained" from "trained, and refused by the gate". Does not belong here: the gate
(ml.registry.gate).
"""

import json
from pathlib import Path

_POINTER, _DECISION = "current.json", Path("evaluation") / "decision.json"


def advice(training: Path) -> str:
    """The command that helps: to train, or to read why the latest model was not promoted.

    `training` is the folder of training runs.
    """
    pointer = training / _POINTER
    if pointer.is_file():
        run = training / str(json.loads(pointer.read_text())["run"])
        if (run / _DECISION).is_file():
            return (
                "the gate did not promote the latest training: `segue evaluate` says why; import more "
                "days, then `segue run train`"
            )
    return "run `segue run train`"
