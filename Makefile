# DSMT. `make` alone lists what can be made.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BROKER ?= auto
SEEDS ?= 2000
BIN := .venv/bin
export PYTHON
# The checks start our programs some hundreds of times: what was compiled once is kept, whatever a shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo dev test computing waiting lint types docs unit contract integration world e2e soak mutants chaos bench examples audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (Debian packages where allowed) and make .venv; quick when nothing is to be done
	@setup/machine.sh
	@setup/environment.sh

demo: setup examples ## the main job: five nodes, a deployment, a node killed and replaced (BROKER=embedded: without RabbitMQ)
	@$(BIN)/python -m lab.demo --broker $(BROKER)

dev: setup examples ## the same little world, kept, with the shell open
	@$(BIN)/dsmtc dev

# What only the tests need is installed for them.
test unit integration e2e: export DSMT_TESTS := yes

# Two at a time: one row computes, the other mostly waits for real parts. Who computes takes what the others leave
# (a lower priority): that keeps brokers from their time limits, and no processor idle.
test: setup lint examples ## everything that checks the project
	@$(MAKE) --no-print-directory -j 2 --output-sync=target computing waiting
	@echo "all checks passed"

computing:
	@for each in types docs unit world; do nice -n 5 $(MAKE) --no-print-directory $$each || exit 1; done
	@$(MAKE) --no-print-directory attacks

waiting:
	@for each in contract integration e2e; do $(MAKE) --no-print-directory $$each || exit 1; done

lint: setup ## ruff (all rules), format, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

types: setup ## mypy, strict, tests too
	@$(BIN)/mypy

docs: setup ## the documents as pages, into build/site, with what is made from the code; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

unit: setup ## tests without sockets, with floors of branch coverage for each layer
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest tests/unit tests/architecture -n 2 --disable-socket --allow-unix-socket --cov --cov-report=
	@$(BIN)/python -m tests.coverage_floors

contract: setup ## one suite for each port, run against every adapter
	@$(BIN)/python -m pytest tests/contract -n 3

integration: setup examples ## the parts against a real RabbitMQ, bubblewrap and rpm
	@$(BIN)/python -m pytest tests/integration -n 4

world: setup ## the simulated world: one seed, one run
	@DSMT_WORLD_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/world -n 2

e2e: setup examples ## the whole with real processes: the trace, the transcript, the kill matrix
	@$(BIN)/python -m pytest tests/e2e -n 4

attacks: setup ## who has taken over a part of it, against the rest, on real parts
	@$(BIN)/python -m pytest tests/attacks -n 2 --dist loadfile

soak: setup ## for long: a million bodies at the decoders, all of the HTTP by its OpenAPI, rounds over what is dirty, and the simulated world, 100000 seeds or SEEDS=N
	@$(BIN)/python -m tests.fuzz --inputs 1000000
	@DSMT_EXAMPLES=3000 $(BIN)/python -m pytest tests/unit/planner/test_dirty_laws.py --timeout 3600
	@DSMT_HTTP_EXAMPLES=100 $(BIN)/python -m pytest tests/integration/planner/test_openapi.py --timeout 3600
	@$(BIN)/python -m tests.world --seed 1 --count $(if $(filter file,$(origin SEEDS)),100000,$(SEEDS)) --jobs 2 --keep-going

audit: setup ## whether a dependency has a known hole (pip-audit); needs the network, and says so when it has none
	@$(BIN)/python -m pip install -q --disable-pip-version-check --group audit 2>/dev/null || { echo "audit: pip-audit cannot be installed from here; nothing is known" >&2; exit 5; }
	@$(BIN)/python -m tests.dependencies

mutants: setup ## mutation tests of what decides, most of an hour (ROOMS='turns plans': only those)
	@$(BIN)/python -m tests.mutants $(ROOMS)

chaos: setup examples ## the faults of the broker in their long forms; upgrades killed at each step, a cluster's lost hosts and the kill matrix many times over
	@DSMT_CHAOS=1 $(BIN)/python -m pytest tests/integration/broker -k fault --timeout 900
	@DSMT_CHAOS=1 $(BIN)/python -m pytest tests/integration/agent/test_killed_upgrades.py --timeout 900
	@for turn in 1 2 3 4 5; do $(BIN)/python -m pytest tests/chaos || exit 1; done
	@for turn in 1 2 3 4 5; do $(BIN)/python -m pytest tests/e2e -k "kill or killed" || exit 1; done

bench: setup examples ## the figures, as JSON
	@$(BIN)/python -m benchmarks.main_job --json
	@$(BIN)/python -m benchmarks.bus --json
	@$(BIN)/python -m benchmarks.plans --json
	@$(BIN)/python -m benchmarks.reconcile --json
	@$(BIN)/python -m benchmarks.fleet --nodes 300 --json
	@$(BIN)/python -m benchmarks.node --json
	@$(BIN)/python -m benchmarks.mirror --json
	@$(BIN)/python -m benchmarks.trust --json
	@$(BIN)/python -m benchmarks.faces --json

examples: setup examples/pinger-1.8.tgz ## the example applications as tarballs

examples/pinger-1.8.tgz: $(wildcard examples/pinger/*)
	@$(BIN)/python -m depot.rpmgen.tarball examples/pinger pinger-1.8 $@

clean: ## remove what was built (not .venv)
	@rm -rf build dist examples/*.tgz .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
