# Two commands do all set-up on a fresh machine: `make demo` shows kherd at work, `make test` passes the tests.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest

.PHONY: help dev demo test full check lint types docs unit integration bench benchmarks promises promises-quick package test-systemd clean

help:
	@echo "make demo         show it: embedded broker, live stream, poison, kill -9, rescale, graceful stop (30 s)"
	@echo "make test         everything CI runs: static checks, unit, property, integration, packaging"
	@echo "make full         the same at full counts; results go to tests/results/"
	@echo "make dev          make $(VENV) with everything for development"
	@echo "make check        static checks: format, lint, types, imports, generated documents"
	@echo "make integration  the scenarios on real processes and brokers"
	@echo "make test-systemd under a real systemd, in a container (root)"
	@echo "make bench        consumers against raw loops, on the embedded broker"
	@echo "make benchmarks   the full bench on a real Kafka of three brokers, and BENCHMARKS.md from it (15 min)"
	@echo "make promises     what kherd promises, each measured beside its rival on a real Kafka (25 min; promises-quick: 4)"
	@echo "make docs         write the generated documents again"

$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

dev: $(STAMP)

demo: $(STAMP)
	@$(BIN)/kherd demo

test: $(STAMP)
	@tests/run.sh

full: $(STAMP)
	@KHERD_FULL=1 tests/run.sh

check: $(STAMP) lint types docs-fresh

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(STAMP)
	$(BIN)/mypy -p kherd
	$(BIN)/mypy tests

docs: $(STAMP)
	$(BIN)/python docs/generate.py

.PHONY: docs-fresh
docs-fresh: $(STAMP)
	$(BIN)/python docs/generate.py --check

unit: $(STAMP)
	$(PYTEST) tests/unit tests/property

integration: $(STAMP)
	$(PYTEST) tests/contract tests/integration

bench: $(STAMP)
	$(BIN)/kherd bench run --only consume --bootstrap embedded --rounds 10

benchmarks: $(STAMP)
	rm -rf build/bench
	$(BIN)/kherd bench run --seed 1 --out build/bench
	cp build/bench/*.json bench/results/full.json
	$(BIN)/python docs/generate.py

# 1 is a promise that was missed: that is a result too. An interrupted run changes nothing.
promises: $(STAMP)
	@mkdir -p build
	@$(BIN)/kherd bench promises --seed 1 --out build/promises.json; code=$$?; \
	[ $$code -gt 1 ] || { cp build/promises.json bench/results/ && $(BIN)/python docs/generate.py; } || exit 1; exit $$code

promises-quick: $(STAMP)
	@$(BIN)/kherd bench promises --quick

package: $(STAMP)
	$(PYTEST) tests/package

test-systemd: $(STAMP)
	$(PYTEST) tests/systemd

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
