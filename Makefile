# Two commands matter: `make run` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
HOST ?= 127.0.0.1
PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
PEERS := var/bench/peers
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

## run: install, create the database, load the demo school, serve (HOST=, PORT=)
run: $(VENV)/.run
	@$(BIN)/python -c "import socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('$(HOST)', $(PORT)))" 2>/dev/null \
	  || { echo "authz: $(HOST):$(PORT) is taken; stop what listens there, or: make run PORT=8081" >&2; exit 1; }
	@$(BIN)/authz demo --host $(HOST) --port $(PORT)

## test: all that CI runs: lint, the policy packs, the documentation, every test
# What works on one core goes side by side. Each worker has whole modules, and with them
# their fixtures, until one is done and takes of the other's.
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j 2 lint policies docs-check
	$(BIN)/python -m pytest -n auto --dist worksteal

## lint: style, types, import contracts
lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## policies: lint every policy pack and run the tests beside it
policies: $(VENV)/.dev
	@set -e; for pack in policies/*/; do \
	  echo "policy pack $$pack"; $(BIN)/authz policy lint "$$pack"; $(BIN)/authz policy test "$$pack"; done

## docs: write the generated pages anew
docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate

## screens: take the pictures of docs/screens anew (needs chromium)
screens: $(VENV)/.dev
	$(BIN)/python -m tests.admin.screenshots

docs-check: $(VENV)/.dev
	$(BIN)/python -m docs.generate --check

## format: put the code in shape
format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## bench: measure all side by side, write benchmarks/RESULTS.md (QUICK=1, SECTIONS="engines http")
bench: $(VENV)/.dev $(PEERS)/.installed
	$(BIN)/python -m benchmarks $(SECTIONS) $(if $(QUICK),--quick)

## lock: resolve the dependencies of pyproject.toml anew (needs uv)
lock:
	@command -v uv >/dev/null || { echo "authz: uv is needed to resolve anew: pip install uv" >&2; exit 1; }
	uv pip compile $(LOCK) pyproject.toml --extra server --group build -o requirements.lock
	uv pip compile $(LOCK) pyproject.toml --all-extras --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile $(LOCK) --group peers -o requirements-peers.lock
LOCK = --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-header --no-annotate

## clean: remove what the other commands made, and the database of `make run`
clean:
	rm -rf $(VENV) var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | awk -F': ' '{ printf "  make %-9s %s\n", $$1, substr($$0, length($$1) + 3) }'

# A stamp is newer than its lock when everything is installed: then nothing is downloaded.
$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@$(call install,requirements.lock)

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@$(call install,requirements-dev.lock)

# A folder of their own, as one ships a package named `tests`. One that cannot be had is reported.
$(PEERS)/.installed: requirements-peers.lock | $(VENV)/.dev
	@$(BIN)/python -m benchmarks.install_peers && touch $@ || true

# The project itself goes on the path with the locked setuptools: no build downloads one.
define install
echo "authz: installing $(1)" >&2
$(PIP) install --quiet --require-hashes --only-binary=:all: -r $(1)
$(PIP) install --quiet --no-deps --no-index --no-build-isolation --editable .
touch $@
endef

$(BIN)/python:
	@sh .ci/venv $(VENV)

.PHONY: run test lint policies docs docs-check screens format bench lock clean help
