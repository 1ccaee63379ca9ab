# Everything runs in .venv. `make report` installs requirements.lock, what running reports needs. The other targets add
# requirements-dev.lock, a superset with equal pins. A changed requirements.lock rebuilds .venv.

PYTHON ?= python3
PYTEST_ARGS ?=
UV ?= uv
# `make lock LOCK_ARGS=--upgrade` moves every pin to its newest release.
LOCK_ARGS ?=

BIN := .venv/bin
# Not written out in the recipe: `make -n` would run a line with $(MAKE) in it.
LINT = $(MAKE) --no-print-directory lint
RUN_PACKAGES := .venv/.run-packages
DEV_PACKAGES := .venv/.dev-packages
INSTALLED := .venv/.installed
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
COMPILE := pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help report test lab docs bench lint lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

report: $(INSTALLED) ## run the sample report and say where the HTML is
	@$(BIN)/mqlkit run params/mql_report.yaml --out reports

# Lint runs beside the tests, and its output comes after theirs. Each file is run by one process: the cells of a notebook
# share a kernel, and the tests of a file share reports and browsers.
test: $(INSTALLED) $(DEV_PACKAGES) ## run lint, the notebooks and the tests side by side
	@mkdir -p build; $(LINT) >build/lint.log 2>&1 & lint=$$!; \
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder \
		--nbval-lax --nbval-current-env --nbval-cell-timeout 300 $(PYTEST_ARGS) mqlkit tests notebooks; tests=$$?; \
	wait $$lint; linted=$$?; cat build/lint.log; \
	[ $$linted -eq 0 ] || echo "Lint failed." >&2; [ $$tests -eq 0 ] || echo "Tests failed." >&2; \
	[ $$linted -eq 0 ] && [ $$tests -eq 0 ]

lint: $(INSTALLED) $(DEV_PACKAGES) ## check style, types, layers, docstrings, spelling and that notebooks carry no stray output
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/numpydoc lint $$(find mqlkit -name '*.py')
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify --keep-count --keep-id notebooks/*.ipynb || { \
		echo "To strip them: $(BIN)/nbstripout --keep-count --keep-id notebooks/*.ipynb" >&2; exit 1; }

lab: $(INSTALLED) $(DEV_PACKAGES) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

docs: $(INSTALLED) $(DEV_PACKAGES) ## build the documentation as a website in site/; warnings are errors
	rm -rf site
	$(BIN)/python -m sphinx -q -W --keep-going -d build/doctrees docs site
	@$(BIN)/mqlkit run params/*.yaml --out site/_static/gallery >/dev/null
	@echo "site/index.html"

bench: $(INSTALLED) $(DEV_PACKAGES) ## run every benchmarks/bench_*.py
	@for script in benchmarks/bench_*.py; do $(BIN)/python "$$script" || exit 1; done

lock: ## rewrite both lock files from pyproject.toml (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv, or make lock UV=/path/to/uv" >&2; exit 1; }
	$(UV) $(COMPILE) --all-extras --output-file requirements-dev.lock $(LOCK_ARGS)
	$(UV) $(COMPILE) --extra build --constraint requirements-dev.lock --output-file requirements.lock

clean: ## remove .venv, builds and caches; reports/ stays
	rm -rf .venv build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./reports -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

$(RUN_PACKAGES): requirements.lock
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no '$(PYTHON)' here. mqlkit needs Python 3.11 or newer: install it, or name another with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "mqlkit needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make a virtual environment. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Building .venv from requirements.lock: once, about a minute, 0.75 GB"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP_INSTALL) --require-hashes --only-binary :all: -r requirements.lock || { \
		echo "The locked packages did not install. They have wheels for CPython 3.11 to 3.14 on Linux, Windows and Apple silicon;" >&2; \
		echo "this is $$($(PYTHON) --version). Name another with make PYTHON=python3.13, or see docs/quickstart.md for the way without the lock." >&2; exit 1; }
	@touch $@

$(DEV_PACKAGES): requirements-dev.lock $(RUN_PACKAGES)
	@echo "Adding the packages of requirements-dev.lock to .venv: once, about a minute"
	@$(PIP_INSTALL) --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

$(INSTALLED): $(RUN_PACKAGES) pyproject.toml
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@
