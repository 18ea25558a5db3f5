# Two commands: `make app` and `make test`. Each sets up all it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Exact versions, so that a fresh clone next year installs what was tested today.
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint .ci/requirements/constraints.txt
# What `make check` leaves to `make test`: browsers, training, recall, the pages, and every fix and rule run.
SLOW   := tests/browser tests/models tests/theatre tests/ui tests/testing tests/engine tests/identification \
          tests/recording/trainers tests/fuzz \
          tests/rules/test_mutations.py tests/rules/test_pipelines.py tests/rules/padding/test_pad_repairs.py \
          tests/rules/test_fixes_run.py tests/rules/test_printed_rules.py tests/scanning/test_scan_dask.py tests/test_file_arrays.py \
          tests/test_reproduce.py tests/test_package_layers.py tests/test_mapped.py tests/test_export.py \
          tests/conventions/test_convention_jax.py tests/conventions/test_convention_libraries.py lossviz/models sample_data

.PHONY: help app test check quick test-one lint types static site format docs lock samples theatre bench fuzz doctor-bench pictures screens clean
help:             ## these lines
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*##/\t/' | expand -t 16

$(VENV)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "lossviz needs Python 3.11 to 3.13; got %d.%d. Try: make PYTHON=python3.12" % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

REQUIREMENTS := pyproject.toml requirements.txt $(wildcard .ci/requirements/*.txt)

$(VENV)/app: $(VENV)/python $(REQUIREMENTS)
	$(PIP) --editable '.[app]'
	@touch $@

$(VENV)/dev: $(VENV)/python $(REQUIREMENTS)
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/app $@

$(VENV)/browser: $(VENV)/dev .ci/browser
	.ci/browser $(BIN)/python
	@touch $@

app: $(VENV)/app  ## open the app in the browser
	$(BIN)/lossviz app

test: $(VENV)/browser static ## everything: lint, types, contracts, docs, all tests in a real browser too
	$(BIN)/pytest -n 3 --dist loadgroup --durations=10

check: $(VENV)/dev ## in 90 seconds: what is static, and the tests that need no browser and no training
	@$(MAKE) --no-print-directory --output-sync=target -j2 static quick

quick: $(VENV)/dev ## the tests of `make check` alone
	$(BIN)/pytest -n 2 --dist loadgroup -q $(SLOW:%=--ignore=%)

test-one: $(VENV)/dev ## one file, folder or test: make test-one T=tests/test_batch.py
	$(BIN)/pytest $(T)

static: lint types site

lint: $(VENV)/dev ## format, lint, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(VENV)/dev ## mypy
	$(BIN)/mypy

site: $(VENV)/dev ## docs/ is up to date; build it as a site, build/site/index.html
	$(BIN)/cog --check -P docs/*.md
	$(BIN)/python .ci/site.py
	$(BIN)/zensical build --strict

format: $(VENV)/dev ## mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/dev ## write the generated parts of docs/ again
	$(BIN)/cog -r -P docs/*.md

lock: $(VENV)/dev ## write .ci/requirements/constraints.txt from what is installed here
	$(BIN)/python .ci/lock.py

samples: $(VENV)/app ## train the models again, record the batches of sample_data/, print docs/models.md's figures
	$(BIN)/python -m sample_data.make_samples

theatre: $(VENV)/app ## train the theatre's models from five seeds, and print what holds: the table of docs/models.md
	$(BIN)/python -m sample_data.train_theatre --compare

bench: $(VENV)/browser ## measure, and write docs/benchmarks.md
	$(BIN)/python -m tests.bench.bench_engine
	$(BIN)/python -m tests.bench.bench_numbers
	$(BIN)/python -m tests.bench.bench_rules
	$(BIN)/python -m tests.bench.bench_formats
	$(BIN)/python -m tests.bench.bench_recording
	$(BIN)/python -m tests.bench.bench_runs
	$(BIN)/python -m tests.bench.bench_runs_large
	$(BIN)/python -m tests.bench.bench_scan
	$(BIN)/python -m tests.bench.bench_browser
	$(BIN)/python -m tests.bench.bench_visitors
	$(BIN)/python -m tests.bench.bench_theatre

fuzz: $(VENV)/dev ## hostile files, runs, texts, links and arguments for ten minutes: make fuzz SEED=7
	$(BIN)/python -m tests.fuzz --seed $(or $(SEED),1)

doctor-bench: $(VENV)/dev ## count the bugs that the doctor names, and write docs/rules.md
	$(BIN)/python -m tests.bench.bench_doctor

pictures: $(VENV)/browser ## the pictures of the README and of docs/learn.md, made again
	$(BIN)/python -m tests.browser.docs_pictures

screens: $(VENV)/browser ## screenshots of every page, size and theme to look at, into tests/artifacts/screens
	$(BIN)/python -m tests.browser.screens $(SCENES)

clean:            ## remove everything that make made
	rm -rf $(VENV) build dist .cache *.egg-info .import_linter_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/artifacts sample_data/large
