# `make demo` runs the main job; `make test` passes the tests. Each sets up all it needs, once.
# Versions: constraints.txt for what is installed, protos/constraints.txt for what builds the package.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROTOS := .venv-protos
EXTRAS := learn,server,openvino,tracing,ray,dev
# Installs into the environment named after --python, by the locked pip of .venv, in whichever environment that is.
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := install --progress-bar on --build-constraint protos/constraints.txt --editable '.[$(EXTRAS)]'
PYTEST := -m pytest -n 2 --durations 10

export HAYSTACK_TELEMETRY_ENABLED := False

.PHONY: help demo test test-newest test-oldest proofs lint types check protos docs evaluate node-package models lock clean

help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: $(READY)   ## decide two use cases on real data and carry both out
	$(BIN)/advisor models pull
	$(BIN)/advisor demo

test: $(READY)   ## run every test with the locked versions
	$(BIN)/advisor models pull
	HF_HUB_OFFLINE=1 $(BIN)/python $(PYTEST)

# Resolved anew each time; what a dependency says about itself fails it, and last it prints what the lock lacks.
test-newest: $(VENV)/.pip  ## run every test with the newest versions that pyproject.toml allows
	test -x .venv-newest/bin/python || $(BIN)/python -m venv --without-pip .venv-newest
	$(PIP) --python .venv-newest $(INSTALL) --upgrade --upgrade-strategy eager
	.venv-newest/bin/advisor models pull
	HF_HUB_OFFLINE=1 ADVISOR_STRICT_WARNINGS=1 .venv-newest/bin/python $(PYTEST); status=$$?; \
	  $(PIP) --python .venv-newest freeze --all --exclude-editable >.venv-newest/installed.txt; \
	  $(BIN)/python .ci/lock.py changes .venv-newest/installed.txt; exit $$status

test-oldest: $(VENV)/.pip  ## run every test with the oldest direct dependencies that pyproject.toml allows
	test -x .venv-oldest/bin/python || $(BIN)/python -m venv --without-pip .venv-oldest
	$(BIN)/python .ci/lock.py oldest >.venv-oldest/constraints.txt
	$(PIP) --python .venv-oldest $(INSTALL) --constraint .venv-oldest/constraints.txt
	.venv-oldest/bin/advisor models pull
	HF_HUB_OFFLINE=1 .venv-oldest/bin/python $(PYTEST)

lint: $(READY)   ## check style and the API's shape
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/buf lint
	$(BIN)/buf format protos --diff --exit-code
	$(BIN)/python .ci/breaking.py

types: $(READY)  ## check types
	$(BIN)/mypy

check: lint types test  ## all that CI runs

# In an environment of what builds the package alone: a clone needs no more for `buf build`.
protos: $(PROTOS)/.ready  ## generate advisor/v1, and bring Google's protos for buf and protoc
	$(PROTOS)/bin/python protos/build.py

$(PROTOS)/.ready: $(VENV)/.pip protos/constraints.txt
	test -x $(PROTOS)/bin/python || $(BIN)/python -m venv --without-pip $(PROTOS)
	$(PIP) --python $(PROTOS) install --quiet --requirement protos/constraints.txt
	touch $@

docs: $(READY)   ## write the API reference, and the programs and pictures that pages show
	$(BIN)/python docs/reference.py
	$(BIN)/python docs/programs.py
	$(BIN)/python -m advisor.cli.pictures

evaluate: $(READY)  ## measure the decision on published cases, and train the model that it ships
	$(BIN)/python benchmarks/evaluate_decision.py

node-package: $(READY)  ## pack the client for Node into dist/, with the protos and types made from them
	rm -rf build/node
	mkdir -p build dist
	cp -R protos/node build/
	cp LICENSE build/node/
	$(BIN)/advisor protos --out build/node/protos
	cd build/node && npm install --no-audit --no-fund && npm pack --pack-destination ../../dist

models: $(READY)  ## fetch the default models
	$(BIN)/advisor models pull

lock: $(VENV)/.pip  ## resolve the newest allowed versions into constraints.txt and protos/constraints.txt
	$(BIN)/python .ci/lock.py lock

# Made again when what is installed or generated changes.
$(READY): $(VENV)/.pip pyproject.toml constraints.txt $(wildcard protos/*.* protos/advisor/v1/*.proto)
	$(PIP) $(INSTALL) --constraint constraints.txt
	touch $@

# A fresh machine's own pip is too old for --build-constraint.
$(VENV)/.pip: constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade --constraint constraints.txt pip
	touch $@

# Some forty minutes: what docs/reliability.md tells of.
proofs: $(READY)  ## run the tests of reliability at length
	ADVISOR_FUZZ_REQUESTS=20000 ADVISOR_SOAK_STREAMS=10000 ADVISOR_SOAK_RUNS=20 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -s \
	  tests/rpc/test_any_request.py tests/rpc/test_soak.py tests/rpc/test_state_machine.py tests/rpc/test_killed.py

clean:           ## remove all that was installed or generated
	rm -rf .venv .venv-newest .venv-oldest .venv-protos advisor/v1 third_party build dist *.egg-info
