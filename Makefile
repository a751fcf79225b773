# Two commands matter: `make serve` and `make test`. `make install` is what both start with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000

.PHONY: install serve test lint types unit eval clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

serve: install
	$(BIN)/cewen serve --host $(HOST) --port $(PORT)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

unit: install
	$(BIN)/pytest -q

eval: install
	$(BIN)/cewen eval

test: lint types unit eval

clean:
	rm -rf index/built .mypy_cache .pytest_cache .ruff_cache .hypothesis
