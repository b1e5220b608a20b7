# Every target sets up what it needs first; stamps make a second run quick. Targets may run side by
# side: whatever installs with pip waits for the packages before it.
# Needs Python 3.11 or newer, Node 20 or newer and make; the rest is installed below.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WEB    := assistant_stream_ce/server/playground/web
PAGE   := assistant_stream_ce/server/playground/dist/index.html

# Quiet installers: what they print otherwise names the package indexes of this machine.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
NPM := npm --loglevel=error --no-audit --no-fund --no-update-notifier

INSTALLED := $(VENV)/.installed
JS        := tests/js/node_modules/.installed
SYSTEM    := $(VENV)/.system

# The peers that we are compared with: upstream's tests, and packages for the benchmarks. They are
# never installed.
UPSTREAM_VERSION := 0.0.36
AG_UI_PEER := ag-ui-langgraph==0.0.47 ag-ui-protocol==1.0.0 ag-ui-a2ui-toolkit==0.0.5
UPSTREAM  := .peers/sdist
PEERS     := .peers/packages

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: notebook-shots load soak help demo fuzz test upstream-tests bench lint format docs page setup clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(PAGE) $(INSTALLED)  ## Serve the scripted agent with the chat page (ARGS="--port 8001")
	@$(BIN)/assistant-stream-ce demo $(ARGS)

test:  ## Check and test everything
	@$(MAKE) --no-print-directory --jobs=2 setup lint docs upstream-tests
	@$(BIN)/python -m pytest -n 4 --dist loadfile

upstream-tests: $(INSTALLED) $(UPSTREAM)/.downloaded  ## Run upstream's own tests against this package
	@$(BIN)/python -m tests.upstream $(UPSTREAM)

fuzz: setup  ## Send a hundred thousand malformed requests to a whole backend (FUZZ_SEED=2)
	@FUZZ_REQUESTS=100000 $(BIN)/python -m pytest tests/app/test_fuzz.py

bench: $(INSTALLED) $(PEERS)/.installed  ## Measure, beside the peers, for some minutes
	@ASSISTANT_STREAM_UPSTREAM=$(CURDIR)/$(PEERS) $(BIN)/python -m tests.bench --json bench.json

load: $(INSTALLED) $(PEERS)/.installed  ## Serve 200 runs at once, beside upstream, for some minutes
	@ASSISTANT_STREAM_UPSTREAM=$(CURDIR)/$(PEERS) $(BIN)/python -m tests.load --json load.json

soak: setup  ## Try thousands of random graphs, for some minutes
	@$(BIN)/python -m pytest -m soak tests/adapters_langgraph

lint: $(INSTALLED)  ## Check style, types, spelling and import direction
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports --no-cache --no-logo

format: $(INSTALLED)  ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(INSTALLED)  ## Build the documentation
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

notebook-shots: setup docs  ## Take pictures of the notebooks and of JupyterLab
	@$(PIP) install jupyterlab
	@$(BIN)/python -m tests.notebooks.shots

page: $(PAGE)  ## Build the chat page

setup: $(PAGE) $(INSTALLED) $(JS) $(SYSTEM)  ## Install everything the tests need

clean:  ## Remove what the other targets made
	rm -rf $(VENV) $(dir $(PAGE)) $(WEB)/node_modules tests/js/node_modules docs/_build dist .peers bench.json load.json

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/system-packages python3-venv
	@$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml hatch_build.py adapters/assistant_stream.py | $(BIN)/python $(PAGE)
	@echo "Installing the Python packages ..."
	@$(PIP) install --upgrade pip
	@$(PIP) install --editable '.[notebook,postgres,redis,serve]' --group dev
	@touch $@

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json
	@echo "Installing the chat page's packages ..."
	@cd $(WEB) && $(NPM) ci >/dev/null
	@touch $@

$(PAGE): $(WEB)/node_modules/.installed $(shell find $(WEB) -type f -not -path '*/node_modules/*' 2>/dev/null)
	@echo "Building the chat page ..."
	@cd $(WEB) && $(NPM) run build --silent -- --logLevel warn
	@touch $@

$(JS): tests/js/package-lock.json
	@echo "Installing the clients that the tests read with ..."
	@cd tests/js && $(NPM) ci >/dev/null
	@touch $@

$(UPSTREAM)/.downloaded: tests/upstream/differences.toml | $(INSTALLED)
	@$(PIP) download --no-deps --no-binary assistant-stream --dest $(UPSTREAM) assistant-stream==$(UPSTREAM_VERSION)
	@touch $@

$(PEERS)/.installed: Makefile | $(INSTALLED)
	@$(PIP) install --upgrade --no-deps --target $(PEERS) \
		assistant-stream==$(UPSTREAM_VERSION) $(AG_UI_PEER)
	@touch $@

$(SYSTEM): .ci/system-packages | $(BIN)/python
	@command -v chromium >/dev/null || .ci/system-packages chromium
	@command -v redis-server >/dev/null || .ci/system-packages redis-server
	@touch $@
