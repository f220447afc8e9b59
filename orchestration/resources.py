"""Resources: the home's settings, the warehouse, the registry.

Belongs here: thin Dagster wrappers that hand out plain objects. Does not belong here: logic.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import dagster as dg
import duckdb

from ml.errors import SegueError
from ml.lake.store import Lake
from ml.registry.models import ModelRegistry
from orchestration.home import Home, read_home
from orchestration.settings import Settings, load_settings

T = TypeVar("T")

# DuckDB would take four fifths of the machine, beside the arrays that are made of its answers.
_MEMORY = "1500MB"


class WarehouseBusyError(SegueError):
    """Another process holds the warehouse."""


class HomeResource(dg.ConfigurableResource):
    """The home named by SEGUE_HOME."""

    @property
    def settings(self) -> Settings:
        """Paths of the home."""
        return load_settings()

    @property
    def record(self) -> Home:
        """What the home is."""
        return read_home(self.settings)

    @property
    def lake(self) -> Lake:
        """The lake."""
        return Lake(self.settings.home)

    def now(self) -> datetime:
        """The clock, for records of when a person or a gate decided; never for data."""
        return datetime.now(UTC)


class RegistryResource(dg.ConfigurableResource):
    """MLflow under the home, or the server in SEGUE_MLFLOW_URI."""

    def open(self) -> ModelRegistry:
        """The registry."""
        settings = load_settings()
        return ModelRegistry(settings.mlflow_uri, settings.mlflow_artifacts)


class WarehouseResource(dg.ConfigurableResource):
    """The DuckDB warehouse. DuckDB admits one writing process and no reader beside it: opening waits."""

    seconds_to_wait: float = 60.0

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection in UTC."""
        with self._open(read_only=True) as connection:
            yield connection

    @contextmanager
    def writer(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A writing connection in UTC."""
        with self._open(read_only=False) as connection:
            yield connection

    def ask(self, question: Callable[[duckdb.DuckDBPyConnection], T], default: T) -> T:
        """What `question` reads from the warehouse, `default` while there is none."""
        if not load_settings().warehouse.exists():
            return default
        with self.reader() as connection:
            return question(connection)

    @contextmanager
    def _open(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        path = load_settings().warehouse
        if read_only and not path.exists():
            raise SegueError(
                f"expected the warehouse {path.name}, found none; run `segue run bootstrap`"
            )
        connection = self._connect(str(path), read_only)
        try:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"set memory_limit = '{_MEMORY}'")
            yield connection
        finally:
            connection.close()

    def _connect(self, path: str, read_only: bool) -> duckdb.DuckDBPyConnection:
        deadline = time.monotonic() + self.seconds_to_wait
        pause = 0.05
        while True:
            try:
                return duckdb.connect(path, read_only=read_only)
            except duckdb.IOException as error:
                if "lock" not in str(error).lower() or time.monotonic() > deadline:
                    raise WarehouseBusyError(
                        f"expected to open the warehouse within {self.seconds_to_wait:.0f} s, "
                        f"found it held: {error}; end the other run, then run again"
                    ) from error
                # DuckDB offers no call that waits for its lock.
                time.sleep(pause)
                pause = min(pause * 2, 1.0)


RESOURCES = {
    "home": HomeResource(),
    "registry": RegistryResource(),
    "warehouse": WarehouseResource(),
}
