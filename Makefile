# Two commands do everything: `make demo` and `make test`. Both create .venv first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEMO := out/demo
UI ?= en

.PHONY: help demo test test-heavy faults train check lint types layers clean

help:
	@echo "make demo        gap report from data/samples (UI=en|pl|zh)"
	@echo "make test        the fast tests"
	@echo "make check       what CI runs: ruff, mypy, import-linter, tests"
	@echo "make test-heavy  the tests that take minutes"
	@echo "make faults      kill processes of the service at random, 20 rounds on each database (about half an hour)"
	@echo "make train       rebuild the bundles in models/ from GOLD=path/to/gold (about three hours)"

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("gapnlp needs Python 3.11 or newer; set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev,api,otel,train]"
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/gapnlp report data/samples/lumibay_feedback.csv --by country --period month --ui $(UI) --out $(DEMO)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-heavy: $(STAMP)
	$(BIN)/python -m pytest -m heavy

# 20 rounds of killing a random process on each database; FAULT_ROUNDS and FAULT_ROWS change that.
faults: $(STAMP)
	$(BIN)/python -m pytest -m heavy -s tests/e2e/test_faults.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

check: lint types layers test

GOLD ?= ../shared/gold
train: $(STAMP)
	$(BIN)/python -m training.linear --gold $(GOLD) --out models
	$(BIN)/python -m training.transformer --gold $(GOLD) --out models --language en --epochs 3
	$(BIN)/python -m training.pretraining --gold $(GOLD) --language pl --out out/encoders/pl
	$(BIN)/python -m training.transformer --gold $(GOLD) --out models --language pl --epochs 3 --encoder out/encoders/pl
	$(BIN)/python -m training.pretraining --gold $(GOLD) --language zh --out out/encoders/zh
	$(BIN)/python -m training.transformer --gold $(GOLD) --out models --language zh --epochs 3 --encoder out/encoders/zh
	$(BIN)/python -m training.promises --cases $(GOLD)/../promises --out models

clean:
	rm -rf .venv out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
