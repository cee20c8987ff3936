# `make` alone lists what there is. Every target makes .venv ready first (scripts/setup, next to nothing when it is).
# More words for the command: make test ARGS="-k replay"

BIN := .venv/bin
ARGS ?=
unexport PYTHONDONTWRITEBYTECODE # what is compiled is kept for the next run

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo serve quick test soak check coverage audit bench preview pictures catalogue lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

setup: ## what the machine lacks, .venv, the locked packages, the jalur command
	@scripts/setup runtime

setup-dev:
	@scripts/setup dev

demo: setup ## a province of made-up cases in a database of its own, carried through and shown
	@JALUR_ENV=demo exec $(BIN)/jalur demo $(ARGS)

serve: setup ## Prefect's server, the deployments and the web app, until Ctrl-C
	@exec $(BIN)/jalur serve $(ARGS)

quick: setup-dev ## the everyday tests, on SQLite: about three minutes
	@scripts/quick $(ARGS)

test: setup-dev ## all tests, on PostgreSQL too, with real servers: about twenty minutes
	@if [ -n "$(ARGS)" ]; then exec $(BIN)/pytest $(ARGS); fi; exec scripts/whole

soak: setup-dev ## ten minutes of random kills of serve, advance, delivery and PostgreSQL (ARGS="--seconds 3600")
	@exec $(BIN)/python -m tests.attacks.soak --serve $(ARGS)

audit: setup-dev ## the locked packages held against advisories kept here (JALUR_ADVISORIES); 3 means: could not look
	@exec $(BIN)/python scripts/audit-dependencies $(ARGS)

check: setup-dev ## style, types, the direction of imports, and the drawing of the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/draw-rooms --check

coverage: setup-dev ## which branches of flows/ no test takes: fails if there is one
	@$(BIN)/pytest -n auto --dist worksteal -m "not prefect" -k "not postgresql" --cov --cov-report= tests/stories tests/scheduling
	@$(BIN)/pytest -m prefect --cov --cov-append --cov-report=term --cov-fail-under=100 tests/scheduling/test_deployments.py

bench: setup-dev ## the measurements that the documents quote
	@exec $(BIN)/python -m tests.bench $(ARGS)

preview: setup ## every document and letter, filled with example facts, and a contact sheet of all
	@exec $(BIN)/jalur preview $(ARGS)

pictures: setup-dev ## the pictures of README.md, from today's templates
	@$(BIN)/python scripts/pictures

catalogue: setup-dev ## the command line's messages anew: what has no Indonesian yet is listed
	@$(BIN)/python scripts/catalogue $(ARGS)

lock: ## both lock files anew from pyproject.toml (needs uv)
	@scripts/lock
