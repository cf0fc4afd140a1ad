# Every target works from a fresh clone: what it needs is set up first, once.
SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

# The interpreter that .venv is made with; empty: the first of these that is new enough.
PYTHON ?=
PYTHONS := python3 python3.13 python3.12 python3.11 python3.14
# Passed on to the command: make run ARGS="--port 9000", make test ARGS="tests/lint -x", make lock ARGS=--upgrade
ARGS ?=

BIN := .venv/bin
SOURCES := $(wildcard src tests benchmarks scripts)

unexport VIRTUAL_ENV PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Installs the pinned packages of a file, showing which one it is at; errors come through untouched. Modules are
# compiled when first imported, which halves the time this takes.
define install
set -o pipefail; total=$$(grep -c '^[a-z0-9].*==' $(1)); \
echo "Installing up to $$total packages from $(1)"; \
$(BIN)/python -m pip install --progress-bar off --no-compile --require-hashes -r $(1) | \
awk -v total="$$total" '/^Collecting /{ n++; if (n % 10 == 0 || $$2 ~ /^(chdb-core|pyarrow|pandas)==/) \
  { printf "  %d/%d %s\n", n, total, $$2; fflush() } } /^Installing collected/{ print "  unpacking"; fflush() }'
endef

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.runtime ## Make .venv with what running needs
	@echo ".venv is ready: make run"

.PHONY: setup-dev
setup-dev: .venv/.dev ## Add what testing and checking need
	@echo ".venv is ready: make test, make check"

.PHONY: run
run: .venv/.runtime ## Start the demo: a server with sample data
	@exec $(BIN)/tallymark demo $(ARGS)

.PHONY: test
test: .venv/.dev ## Run the tests
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: check
check: .venv/.dev ## Lint, format, types and the direction of imports
	@echo "ruff check"; $(BIN)/ruff check --quiet .
	@echo "ruff format --check"; $(BIN)/ruff format --check --quiet .
	@echo "mypy"; $(BIN)/mypy --no-error-summary $(SOURCES)
	@echo "lint-imports"; out=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$out"; exit 1; }

.PHONY: format
format: .venv/.dev ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

.PHONY: lock
lock: .venv/.dev ## Pin all requirements anew (ARGS=--upgrade: to their newest versions)
	@for out in "requirements.txt --group build" \
	            "requirements-dev.txt --group build --group dev --constraint requirements.txt"; do \
	  echo "$${out%% *}"; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	    --generate-hashes --custom-compile-command "make lock" $(ARGS) pyproject.toml --output-file $$out \
	    || exit 1; \
	done

.PHONY: dist
dist: .venv/.runtime ## Build the wheel into dist/, with its SHA-256
	@rm -rf dist
	@$(BIN)/python -m hatchling build --target wheel >/dev/null
	@cd dist && { command -v sha256sum >/dev/null && sha256sum *.whl || shasum -a 256 *.whl; } | tee SHA256SUMS

.PHONY: bench
bench: .venv/.dev ## Run the benchmarks
	@exec $(BIN)/python -m benchmarks $(ARGS)

.PHONY: clean
clean: ## Remove .venv, caches and what was built
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# Stamps: a file in .venv says what is done, and is as new as what it was done from.

.venv/.created:
	@for python in $${PYTHON:-$(PYTHONS)}; do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "Creating .venv with $$("$$python" --version)"; \
	  "$$python" -m venv --clear .venv && touch $@ && exit 0; \
	done; \
	echo "Tallymark needs Python 3.11 or newer with its venv module; tried: $${PYTHON:-$(PYTHONS)}." >&2; \
	echo "Install one (Debian: python3 and python3-venv), or name it: make setup PYTHON=/path/to/python3" >&2; \
	exit 1

.venv/.requirements: requirements.txt .venv/.created
	@$(call install,requirements.txt)
	@touch $@

.venv/.runtime: pyproject.toml .venv/.requirements
	@$(BIN)/python -m pip install --quiet --no-compile --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@$(call install,requirements-dev.txt)
	@touch $@
