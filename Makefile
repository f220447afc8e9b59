# Every target works first in a fresh clone with nothing but Python 3.11 or later.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
FORMAT ?=
OPTIONS ?=
SIZE ?=
export SEGUE_HOME ?= $(CURDIR)/.segue

# dbt's documentation describes a warehouse without rows: it needs no home and names no listener.
DBT_DOCS := $(CURDIR)/build/dbt-docs
DBT := SEGUE_WAREHOUSE=$(DBT_DOCS)/empty.duckdb DBT_SEND_ANONYMOUS_USAGE_STATS=false $(BIN)/dbt --quiet
DBT_PLACES := --project-dir dbt_project --profiles-dir dbt_project --target-path $(DBT_DOCS) --log-path $(DBT_DOCS) \
	--vars '{start_day: 2025-01-01, end_day: 2025-01-02, lake: $(DBT_DOCS)/lake, artifacts: $(DBT_DOCS)/artifacts}'

.PHONY: help install demo ui check format test bench docs pictures
.DEFAULT_GOAL := help

help: ## What can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /|/' | column -t -s '|'

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0 -c constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	$(BIN)/python -m ml.kernels
	touch $@

install: $(VENV)/installed ## Create .venv and install into it

demo: $(VENV)/installed ## A recommender's life; DATA=PATH [FORMAT=NAME] [OPTIONS="a=b"] on real data
	$(BIN)/segue demo $(if $(DATA),--data $(DATA) $(if $(FORMAT),--format $(FORMAT)) $(foreach one,$(OPTIONS),--option $(one)))

ui: $(VENV)/installed ## Open Dagster on the demo's home
	$(BIN)/segue ui

check: $(VENV)/installed ## Format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

format: $(VENV)/installed ## Format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(VENV)/installed ## All tests
	$(BIN)/python -m pytest -q -n 3 --dist loadfile -m "not bench"

bench: $(VENV)/installed ## Measured times and peak memory; SIZE=200K|2M|20M: a large home
	$(BIN)/python -m tests.benchmarks.$(if $(SIZE),heavy --size $(SIZE),run)

docs: $(VENV)/installed ## Tables, columns and their lineage as one page: build/dbt-docs/static_index.html
	rm -rf $(DBT_DOCS)
	mkdir -p $(DBT_DOCS)
	$(DBT) run $(DBT_PLACES)
	$(DBT) docs generate --static $(DBT_PLACES)
	@echo $(DBT_DOCS)/static_index.html

pictures: $(VENV)/installed ## The README's pictures from the running system on the demo's home (needs chromium)
	$(BIN)/python -m tests.pictures
