# House value. `make help` lists what can be made; a comment with two # after a target is its line there.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
INSTALL := $(if $(PYTHON),$(PYTHON) requirements/install.py,echo "Python 3.11 or newer is needed and not found." >&2; exit 1; )
BIN := .venv/bin
UV_COMPILE := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help run test check format requirements bench faults paint screenshots wasm clean runtime-environment dev-environment

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: runtime-environment ## start everything on this machine (PORT=8000 VAR_DIR=var CONNECT=0)
	@exec $(BIN)/python manage.py run_stack

test: dev-environment ## install what tests need, check, and run every test
	@exec $(BIN)/python -m tests.suite

check: dev-environment ## formats, lint, types, imports, templates, migrations, deployment settings, wasm
	@exec $(BIN)/python -m tests.checks

format: dev-environment ## format and tidy the code
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

bench: dev-environment ## latency and bulk speed of the whole path, against a run that is up
	@$(BIN)/python manage.py bench_path --rate 50 --seconds 60
	@$(BIN)/python manage.py bench_path --bulk 20000

faults: dev-environment ## kill each part under each load, overload the path, and write docs/faults.md (ONLY=pattern; outcomes stay in var/faults)
	@exec $(BIN)/python -m tests.faults --only "$(or $(ONLY),*)"

paint: dev-environment ## how fast pages appear and how still they stand, into docs/paint.md; 1 where a bar is missed
	@$(BIN)/python -m tests.paint

screenshots: dev-environment ## a picture of every page of a real run, in docs/screenshots/
	@$(BIN)/python -m tests.screenshots

wasm: ## build the transforms and their manifest
	@$(PYTHON) redpanda/transforms/build.py build

requirements: dev-environment ## pin and hash requirements/*.txt anew from requirements/*.in
	@$(UV_COMPILE) --upgrade requirements/dev.in --output-file requirements/dev.txt
	@$(UV_COMPILE) --constraint requirements/dev.txt requirements/training.in --output-file requirements/training.txt
	@$(UV_COMPILE) --constraint requirements/dev.txt requirements/runtime.in --output-file requirements/runtime.txt

connect: runtime-environment ## build the engine of Redpanda Connect's pipelines, lint and test them
	@engine=$$($(BIN)/python redpanda/connect/build.py --install-go) && cd redpanda/connect && \
		$$engine lint *.yaml && $$engine test ingress.yaml feed.yaml results.yaml dead_letters.yaml && echo "  $$engine"

clean: ## remove the environment and caches; the state in var/ stays
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime-environment:
	@$(INSTALL) runtime

dev-environment:
	@$(INSTALL) dev
