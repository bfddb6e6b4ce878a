SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
SOLC := $(HOME)/.solcx/solc-v0.8.30
export PATH := $(CURDIR)/$(VENV)/bin:$(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help setup page demo test slow lint gas clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed $(SOLC) hansa/cli/page/index.html ## everything into .venv and node_modules (the other commands do it too)

page: hansa/cli/page/index.html ## build the page that `hansa dashboard` serves into hansa/cli/page

demo: setup ## train the four-hospital model on a chain of your own; ARGS="--rounds 5 --seed 2" and so on
	@hansa demo $(ARGS)

test: setup ## the page's tests (vitest), contract tests (brownie), unit, integration, end-to-end, browser tests (pytest)
	@scripts/test.sh $(ARGS)

slow: setup ## long runs that `make test` leaves out: daemons killed, absent, lied to; what came of them goes to tests/slow.txt
	@scripts/slow.sh $(ARGS)

lint: setup ## ruff, mypy --strict, tsc, the rules of the house, slither
	@scripts/lint.sh

gas: setup ## what calls and long sheets cost, against budgets and snapshot; ARGS=--write measures it anew
	@HANSA_WRITE_GAS=$(if $(filter --write,$(ARGS)),1,0) brownie test tests/contracts -k "test_gas or sizes" --network anvil
	@python -c 'import json; [print(f"{gas:>10,}  {call}") for name in ("hansa/runtime/chain/gas.json", "tests/contracts/gas_of_identity.json") for call, gas in json.load(open(name))["gas"].items()]'

clean: ## remove what set-up and tests made, except keys and deployments
	rm -rf $(VENV) node_modules dashboard/node_modules hansa/cli/page .brownie .mypy_cache .ruff_cache .pytest_cache .hypothesis reports build *.egg-info

$(VENV)/.installed: pyproject.toml constraints.txt node_modules/.package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Hansa needs Python 3.11: make setup PYTHON=/path/to/python3.11")'
	@echo 'Installing Python packages into $(VENV) (a few minutes the first time) …'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@for tool in anvil ganache ganache-cli; do ln -sf ../../node_modules/.bin/$$tool $(VENV)/bin/$$tool; done
	@$(VENV)/bin/python scripts/dotted_paths.py
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json
	@node -e 'if (parseInt(process.versions.node) < 20) { console.error("Hansa needs Node 20 or newer"); process.exit(1) }'
	@echo 'Installing the development chains and the compiler into node_modules …'
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

dashboard/node_modules/.package-lock.json: dashboard/package.json dashboard/package-lock.json
	@cd dashboard && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

hansa/cli/page/index.html: dashboard/node_modules/.package-lock.json dashboard/index.html dashboard/vite.config.ts dashboard/tsconfig.json $(shell find dashboard/src -type f) hansa/protocol/tables.json $(wildcard hansa/runtime/chain/artifacts/*.json)
	@cd dashboard && npm run --silent build
	@touch $@

$(SOLC): | $(VENV)/.installed
	@python scripts/install_solc.py
