# `make help` lists what there is. Everything works from a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A process a core, each file of tests in one of them.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile
# Not even imported: each process would load the page.
NO_BROWSER := --ignore tests/browser

# Where it is set, every process of the tests would compile all of rag/ again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup chat build test test-fast storm lint format bench bench-full reader calibrate \
	screenshots clean browser

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(READY) ## make .venv with the command rag in it

# Installed again only when what is to be installed has changed.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make setup PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[dev]'
	@touch $@

chat: setup ## open the chat on the bundled corpus (builds its index the first time)
	$(BIN)/rag chat

build: setup ## build or update the index of the bundled corpus
	$(BIN)/rag build

lint: setup ## check form, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: setup lint browser ## check everything: form, types, tests, a real browser
	$(BIN)/pytest $(SIDE_BY_SIDE) $(NO_BROWSER)
	$(BIN)/pytest tests/browser

storm: setup ## kill builds at 200 random moments while readers ask (ten minutes or more)
	RAG_STORM=$${RAG_STORM:-200} $(BIN)/pytest -v -rP tests/test_kill.py tests/test_incremental.py -k "killed or storm"

test-fast: setup ## the tests without browser and long runs
	$(BIN)/pytest $(SIDE_BY_SIDE) $(NO_BROWSER) -m 'not slow'

# Debian's own browser; elsewhere any Chromium or Chrome on the path does.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		  apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
		echo "no Chromium here: the browser tests will be skipped"

bench: setup ## measure speed against what people would use instead (minutes; needs ../shared)
	$(BIN)/python benchmarks/peers.py --quick
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/rebuild.py --documents 2000
	$(BIN)/python benchmarks/askers.py
	$(BIN)/python benchmarks/million.py --sizes 10000

bench-full: setup browser ## all of it, up to a million chunks, with profiles and limits (hours; needs ../shared)
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/rebuild.py
	$(BIN)/python benchmarks/askers.py
	$(BIN)/python benchmarks/chat.py
	$(BIN)/python benchmarks/limits.py
	$(BIN)/python benchmarks/profiles.py
	$(BIN)/python benchmarks/million.py

reader: setup ## train adapter and reader again from scratch (hours on a CPU; needs ../shared)
	$(BIN)/python -m training.adapter --work .checkpoints/reader --output rag/models
	$(BIN)/python -m training.reader --work .checkpoints/reader --output rag/models

calibrate: setup ## fit the model that decides between an answer and an abstention (needs ../shared)
	$(BIN)/python -m training.calibrate

screenshots: setup browser ## take pictures of the chat into benchmarks/out/
	$(BIN)/python tests/browser/screenshots.py benchmarks/out

clean: ## remove the environment, caches and the built index; people's questions (index-conversations) stay
	rm -rf $(VENV) .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find index -mindepth 1 ! -name README.md -delete
