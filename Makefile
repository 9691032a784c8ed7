# Everything a fresh checkout needs is a Python of 3.11 or newer (with venv) and make. `make` alone lists the targets.
#
# PYTHON  the interpreter to build the environment with; found by itself when left out
# ARGS    handed on: make test ARGS="tests/unit -x", make demo ARGS=--once

CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in $(CANDIDATES); do \
	"$$name" -c '$(IS_NEW_ENOUGH)' 2>/dev/null && { echo "$$name"; break; }; done)

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
PYTEST := $(BIN)/python -m pytest
# Two workers more than there are cores, since many wait for a process or a clock; a file's tests stay together, so that servers and
# browsers are started once for each file; and files come in the order of tests/conftest.py, those that take long first.
WORKERS ?= $(shell "$(PYTHON)" -c 'import os; print((os.cpu_count() or 1) + 2)')
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
ARGS ?=

# The tests make thousands of small databases, and wait for the disk at each commit. In memory, where 2 GB are free, there is no
# such wait; what they prove does not need a disk that outlives the machine.
IN_MEMORY := $(shell test -w /dev/shm && test "$$(df -Pk /dev/shm | awk 'END {print $$4}')" -gt 2000000 && echo /dev/shm)
ifdef IN_MEMORY
test: export TMPDIR ?= $(IN_MEMORY)
endif

# Containers often ask Python to keep no compiled modules. The tests start hundreds of processes, each of which would compile
# the whole product again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check lint bench soak lock clean

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(BIN)/.installed ## a pretend Salesforce and HubSpot, mail, customers who answer, and Afterword between them
	@$(BIN)/afterword demo $(ARGS)

test: $(BIN)/.installed ## all tests but the soak
	@$(PYTEST) -q -m "not soak" $(PARALLEL) $(ARGS)

check: lint test ## what must be green before a commit: lint, then test

lint: $(BIN)/.installed ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(BIN)/.installed ## how fast, and in how much memory
	@$(BIN)/python -m tests.bench $(ARGS)

soak: $(BIN)/.installed ## the long runs: many laps, with faults
	@$(PYTEST) -q -m soak --timeout 0 $(ARGS)

lock: $(BIN)/.installed ## choose the dependencies' versions anew: pyproject.toml -> requirements.lock
	@$(PIP) install uv
	@$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-header --no-annotate pyproject.toml -o requirements.lock
	@echo "requirements.lock is new. Next: make check."

clean: ## remove the environment and everything built
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ── the environment: made when it is missing, brought up to date when the lock or the metadata changed ──────────────────

$(BIN)/.installed: $(BIN)/.locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/.locked: requirements.lock
	@"$(or $(PYTHON),false)" -c '$(IS_NEW_ENOUGH)' 2>/dev/null || { \
		echo "Afterword needs Python 3.11 or newer; found $(or $(PYTHON),none)."; \
		echo "Install one (with venv), or say where it is: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@echo "Preparing .venv from requirements.lock; this takes a minute or two, once."
	@$(BIN)/python -c '' 2>/dev/null || "$(PYTHON)" -m venv --clear .venv || { \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@
