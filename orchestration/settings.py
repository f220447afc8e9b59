"""Where things are, and the only reader of the environment.

Belongs here: paths of a home and the variables that children need. Does not belong here: what the home
holds (orchestration.home).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml.errors import SegueError
from ml.files import replace_text

REPOSITORY = Path(__file__).resolve().parents[1]
DBT_PROJECT = REPOSITORY / "dbt_project"
LOOPBACK = "127.0.0.1"

# No part of Segue reports to anybody. MLflow reads its switch at import, and looks a host up with any
# other value than these.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
# Threads of XGBoost that wait for one another sleep instead of spinning: beside other work a training of
# 52 s takes 21 s. Read when the library is loaded.
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths under one home directory."""

    home: Path

    @property
    def home_file(self) -> Path:
        """What the home is: first and last day, source, limits."""
        return self.home / "home.json"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.home / "warehouse.duckdb"

    @property
    def lake(self) -> Path:
        """The Parquet lake."""
        return self.home / "lake"

    @property
    def events(self) -> Path:
        """The journal of events that the online service received."""
        return self.home / "events"

    @property
    def artifacts(self) -> Path:
        """Everything fitted or published."""
        return self.home / "artifacts"

    @property
    def states(self) -> Path:
        """Published states by day."""
        return self.artifacts / "state"

    @property
    def recommendations(self) -> Path:
        """Published lists by day."""
        return self.artifacts / "recommendations"

    @property
    def training(self) -> Path:
        """Training runs by as_of."""
        return self.artifacts / "training"

    @property
    def tuned(self) -> Path:
        """Hyper-parameters that `segue tune` found on this home's data."""
        return self.training / "tuned.json"

    @property
    def bundles(self) -> Path:
        """Models by version."""
        return self.artifacts / "bundles"

    @property
    def decisions(self) -> Path:
        """What the gate and people decided about models, one JSON line each."""
        return self.artifacts / "decisions.jsonl"

    @property
    def champion_pointer(self) -> Path:
        """The model that serves, for readers without the registry."""
        return self.artifacts / "champion.json"

    @property
    def promotion_policy(self) -> Path:
        """The home's own changes to the promotion policy; most homes have none."""
        return self.home / "promotion.toml"

    @property
    def simulation(self) -> Path:
        """The simulated world's own state by day."""
        return self.artifacts / "simulation"

    @property
    def reports(self) -> Path:
        """Monitoring reports by day, and reviews."""
        return self.home / "reports"

    @property
    def reports_port(self) -> int:
        """Port on which `segue ui` serves the reports (SEGUE_REPORTS_PORT, default 3001).

        Raises:
            SegueError: the variable holds no number.
        """
        text = os.environ.get("SEGUE_REPORTS_PORT", "3001")
        if not text.isdecimal():
            raise SegueError(f"expected SEGUE_REPORTS_PORT to be a port number, found {text!r}")
        return int(text)

    @property
    def reports_url(self) -> str:
        """Address of the reports while `segue ui` runs."""
        return f"http://{LOOPBACK}:{self.reports_port}"

    @property
    def evidently(self) -> Path:
        """The Evidently workspace."""
        return self.home / "evidently"

    @property
    def dagster(self) -> Path:
        """Dagster's instance."""
        return self.home / "dagster"

    @property
    def dbt_target(self) -> Path:
        """What dbt compiles."""
        return self.home / "dbt"

    @property
    def alerts(self) -> Path:
        """Alerts, one JSON line each."""
        return self.home / "log" / "alerts.jsonl"

    @property
    def alert_urls(self) -> tuple[str, ...]:
        """Where alerts go: Apprise addresses, separated by blanks (SEGUE_ALERTS, default none)."""
        return tuple(os.environ.get("SEGUE_ALERTS", "").split())

    @property
    def mlflow_artifacts(self) -> Path:
        """Files of MLflow runs."""
        return self.home / "mlflow" / "artifacts"

    @property
    def mlflow_uri(self) -> str:
        """MLflow's store: SQLite under the home, unless SEGUE_MLFLOW_URI names a server."""
        return os.environ.get("SEGUE_MLFLOW_URI", f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}")

    @property
    def has_mlflow_server(self) -> bool:
        """Whether models are kept by a server that other homes may share."""
        return "SEGUE_MLFLOW_URI" in os.environ

    @property
    def serve_token(self) -> str:
        """Bearer token that `segue serve` asks of its callers (SEGUE_TOKEN, default none)."""
        return os.environ.get("SEGUE_TOKEN", "")

    @property
    def encoder(self) -> str:
        """The text encoder: "own", or a sentence-transformers hub name or folder (SEGUE_ENCODER)."""
        return os.environ.get("SEGUE_ENCODER", "own")


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings of the home in SEGUE_HOME (default `.segue` in the working directory)."""
    values = os.environ if environment is None else environment
    return Settings(Path(values.get("SEGUE_HOME", ".segue")).expanduser().resolve())


def child_environment(settings: Settings) -> dict[str, str]:
    """Variables that Dagster, dbt and the libraries need for this home."""
    return {
        **QUIET,
        **PATIENT,
        "SEGUE_HOME": str(settings.home),
        "SEGUE_WAREHOUSE": str(settings.warehouse),
        "DAGSTER_HOME": str(settings.dagster),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
    }


def environment_of(home: Path) -> dict[str, str]:
    """This process's variables for a `segue` command on another home."""
    return {**os.environ, "SEGUE_HOME": str(home)}


def prepare_process(settings: Settings) -> None:
    """Set the children's variables in this process and create Dagster's instance folder."""
    os.environ.update(child_environment(settings))
    settings.dagster.mkdir(parents=True, exist_ok=True)
    (settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    config = settings.dagster / "dagster.yaml"
    if not config.exists():
        replace_text(config, _DAGSTER_YAML)


_DAGSTER_YAML = """\
# Written by Segue when the home was created; yours to change.
telemetry:
  enabled: false
nux:
  enabled: false
freshness:
  enabled: true
concurrency:
  pools:
    default_limit: 1
    granularity: op
  runs:
    # Days build on one another: one run at a time.
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 30
"""
