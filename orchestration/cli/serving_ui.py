"""`segue ui`: Dagster on the home.

Belongs here: starting `dg dev`. Does not belong here: definitions.
"""

import os
import sys
from pathlib import Path

from orchestration.cli.console import console
from orchestration.home import read_home
from orchestration.settings import REPOSITORY, load_settings, prepare_process


def open_ui(port: int) -> None:
    """Become `dg dev` on the loopback address; Ctrl-C ends it."""
    settings = load_settings()
    read_home(settings)
    prepare_process(settings)
    console.print(f"Dagster on {settings.home}: http://127.0.0.1:{port} (Ctrl-C ends it)")
    os.chdir(REPOSITORY)
    dg = str(Path(sys.executable).with_name("dg"))
    # dg looks for its commands on the PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    os.execv(dg, [dg, "dev", "--host", "127.0.0.1", "--port", str(port)])  # noqa: S606
