# make setup | lab | serve | test | lint | bench | check
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: setup lab serve test lint bench check

setup: $(STAMP)

# Reinstalled when what is to be installed has changed.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Memory Lab needs Python 3.11 or newer; call make with PYTHON=python3.11, for example.")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[triton,server,text,chat,dev]'
	touch $(STAMP)

lab: setup
	$(RUN) -m server solo

serve: setup
	$(RUN) -m server serve

# Two workers: one for each core of the smallest machine this is tested on.
test: setup
	$(RUN) -m pytest -n 2

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports
	$(RUN) -m marimo check --strict notebooks

bench: setup
	$(RUN) -m mem_core bench
	$(RUN) -m mem_core bench kernels
	$(RUN) -m benchmarks.pages

check: setup
	$(RUN) -m mem_core check --engine numpy
	$(RUN) -m mem_core check --engine torch
