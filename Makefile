.DELETE_ON_ERROR:
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: help demo test check bench format clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(READY) ## train tetris-seed, score layer statistics, print scores beside the paper's
	$(BIN)/zoogen build tetris-seed
	$(BIN)/zoobench evaluate weight-statistics --zoo tetris-seed

# One thread per worker: more would spin while they wait for a core.
test: $(READY) ## run every test, two files at a time
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY) ## check format, lint, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## measure every claim about speed against its peer
	$(BIN)/python -m benchmarks --write docs/results/speed.md

format: $(READY) ## format the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove the virtual environment and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info

# The stamp is written last: an interrupted set-up is stale and starts again.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, {sys.executable} is {v.major}.{v.minor}; run: make PYTHON=python3.11")'
	@echo 'setting up .venv, a few minutes the first time'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,umap,plots,cluster,hub]'
	touch $@
