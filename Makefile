# `make demo` runs the main job; `make test` passes the tests. Each sets up all it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXTRAS := learn,server,dev

export HAYSTACK_TELEMETRY_ENABLED := False

.PHONY: demo test lint types proto models check clean

demo: $(READY)
	$(BIN)/advisor models pull
	$(BIN)/advisor demo

test: $(READY)
	$(BIN)/advisor models pull
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --durations 10

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/buf lint

types: $(READY)
	$(BIN)/mypy

proto: $(READY)
	$(BIN)/pip install --quiet --no-deps --editable .

models: $(READY)
	$(BIN)/advisor models pull

check: lint types test

# Made again when what is installed or generated changes.
$(READY): pyproject.toml $(wildcard protos/*.py protos/advisor/v1/*.proto)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --upgrade 'pip>=24.1'
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --editable '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf $(VENV) advisor/v1 third_party build dist *.egg-info
