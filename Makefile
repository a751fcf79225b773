# Two commands matter: `make serve` and `make test`. `make install` is what both start with.
# `make serve HOST=0.0.0.0 PORT=8123` overrides the settings; `make install PYTHON=python3.12` picks a Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# `--host X` if HOST=X was given to make itself; a HOST in the environment is often the machine's name.
given = $(if $(filter command,$(firstword $(origin $(1)))),--$(2) $($(1)))

.PHONY: install browser serve test lint types unit eval gate hammer nightly clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# The pages are tested in Chromium, which comes from the system. Where the package manager is at hand, it is
# fetched; elsewhere it says what is missing.
browser:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
	|| test -n "$(TEST_BROWSER)" \
	|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	&& apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; } \
	|| { echo "Install Chromium, or set TEST_BROWSER to a browser's path" >&2; exit 1; }

serve: install
	@$(BIN)/cewen serve $(call given,HOST,host) $(call given,PORT,port) || test $$? -eq 130

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

unit: install browser
	$(BIN)/pytest -q

eval: install
	$(BIN)/cewen eval

# The gate, and the proof that it stops a service that is broken.
gate: install
	$(BIN)/cewen eval --gate
	$(BIN)/cewen eval selftest

# The tests and the gate side by side: each uses one core for most of its time. What one says is shown when it has
# ended, where make can do that.
in_order = $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

test: lint types
	@$(MAKE) --no-print-directory -j2 $(in_order) unit gate

# Kills by the hundred, every change of the disk failing, damaged files, broken code; and 20,000 requests. An hour
# or two. The figures and how to choose them: docs/operations.md.
nightly: install
	$(BIN)/pytest -q -m nightly
	$(BIN)/pytest -q tests/test_llm_faults.py tests/test_client_faults.py tests/test_faults_sabotage.py

# Twenty thousand generated requests against a real service; HAMMER_CASES for another number.
hammer: install
	$(BIN)/pytest -q -s -m nightly tests/test_api_schemathesis.py

clean:
	rm -rf index/built .mypy_cache .pytest_cache .ruff_cache .hypothesis
