"""`segue ui`: Dagster on the home, and its reports beside it.

Belongs here: starting `dg dev` and the pages that it links to. Does not belong here: definitions.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from ml.errors import SegueError
from monitoring.index import write_index
from orchestration.cli.console import console
from orchestration.home import read_home
from orchestration.settings import LOOPBACK, REPOSITORY, Settings, load_settings, prepare_process

DAGSTER_PORT, EVIDENTLY_PORT = 3000, 3002
# Seconds that Dagster has to end by itself.
_PATIENCE = 10


class _Pages(SimpleHTTPRequestHandler):
    """Files of a folder, without a line on the terminal for each."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def reports_served(settings: Settings) -> Iterator[str]:
    """The reports under an address: a browser opens no file:// link of a page it got by http.

    Raises:
        SegueError: the port is taken.
    """
    settings.reports.mkdir(parents=True, exist_ok=True)
    pages = partial(_Pages, directory=str(settings.reports))
    try:
        server = ThreadingHTTPServer((LOOPBACK, settings.reports_port), pages)
    except OSError as error:
        raise SegueError(
            f"expected port {settings.reports_port} to be free for the reports, found it taken "
            f"({error}); end the other `segue ui` or set SEGUE_REPORTS_PORT"
        ) from error
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield settings.reports_url
    finally:
        server.shutdown()
        server.server_close()


def open_page(what: str, port: int) -> None:
    """Open what `segue ui` names on a port (0 = the usual one).

    Raises:
        SegueError: another name.
    """
    if what == "evidently":
        from orchestration.cli.serving_evidently import open_evidently

        open_evidently(port or EVIDENTLY_PORT)
    elif what == "dagster":
        open_ui(port or DAGSTER_PORT)
    else:
        raise SegueError(f"expected dagster or evidently, found {what!r}; run `segue ui`")


def open_ui(port: int) -> None:
    """Run `dg dev` and the reports on the loopback address; Ctrl-C ends both.

    Raises:
        SegueError: no home, the reports' port is taken, or Dagster ended by itself.
    """
    settings = load_settings()
    read_home(settings)
    prepare_process(settings)
    write_index(settings.reports)
    # dg looks for its commands on the PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    dg = str(Path(sys.executable).with_name("dg"))
    with reports_served(settings) as address:
        console.print(f"Dagster on {settings.home}: http://{LOOPBACK}:{port} (Ctrl-C ends it)")
        console.print(f"Reports: {address} (what is open, key figures, every day)")
        # A session of its own: one signal then ends all of Dagster's processes.
        process = subprocess.Popen(  # noqa: S603 - our own command
            [dg, "dev", "--host", LOOPBACK, "--port", str(port)],
            cwd=REPOSITORY,
            start_new_session=True,
        )
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.default_int_handler)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = _ended(process)
    if code > 0:
        raise SegueError(f"Dagster ended with {code}; its lines above say why")


def _ended(process: "subprocess.Popen[bytes]") -> int:
    """End Dagster as Ctrl-C would, and by force where it does not listen: started from a script, its
    processes ignore SIGINT, and they stay alive on SIGTERM (1.13)."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return 0
