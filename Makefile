# Two commands: `make app` and `make test`. Each sets up all it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help app test check format docs samples bench doctor-bench clean
help:             ## these lines
	@grep -E '^[a-z-]+: .*##' Makefile | sed -E 's/:.*##/\t/' | expand -t 16

$(VENV)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "lossviz needs Python 3.11 to 3.13; got %d.%d. Try: make PYTHON=python3.12" % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

REQUIREMENTS := pyproject.toml requirements.txt $(wildcard requirements/*.txt)

$(VENV)/app: $(VENV)/python $(REQUIREMENTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[app]'
	@touch $@

$(VENV)/dev: $(VENV)/python $(REQUIREMENTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(VENV)/app $@

$(VENV)/browser: $(VENV)/dev .ci/browser
	.ci/browser $(BIN)/python
	@touch $@

app: $(VENV)/app  ## open the app in the browser
	$(BIN)/lossviz app

test: $(VENV)/browser ## lint, types, import contract, generated docs, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cog --check -P docs/*.md
	$(BIN)/pytest -n 2 --dist loadgroup

format: $(VENV)/dev ## mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/dev ## write the generated parts of docs/ again
	$(BIN)/cog -r -P docs/*.md

samples: $(VENV)/app ## train the models again, record the batches of sample_data/, print docs/models.md's figures
	$(BIN)/python -m sample_data.make_samples

bench: $(VENV)/browser ## measure, and write docs/benchmarks.md
	$(BIN)/python -m tests.bench.bench_engine
	$(BIN)/python -m tests.bench.bench_numbers
	$(BIN)/python -m tests.bench.bench_browser

doctor-bench: $(VENV)/dev ## count the bugs that the doctor names, and write docs/rules.md
	$(BIN)/python -m tests.bench.bench_doctor

clean:            ## remove everything that make made
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/artifacts sample_data/large
