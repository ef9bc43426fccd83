# Every target sets up what it needs. A newcomer needs two: `make demo` and `make test`.
SHELL := /bin/bash
# What one process has compiled, the other workers and the hundreds of commands that tests start read.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
# Rooms in their order: those whose few tests take long are begun before the end, when other workers have nothing to do.
WORKERS := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help demo tui tape test test-fast test-all lint format bench bench-fleet fuzz sbom docs renew setup setup-dev clean

help:
	@echo "make demo    set everything up and do the main job on the simulated organisations"
	@echo "make tui     open the terminal UI on the demo's workspace"
	@echo "make tape    play a walk through the terminal UI, and make pictures of each step: tape/index.html"
	@echo "make test    set everything up and run the tests, as CI does: minutes"
	@echo "make test-fast  the quick tests of every room: under a minute"
	@echo "make test-all   every test, the long ones too"
	@echo "make lint    ruff, mypy, import-linter, and interlock's own content lint"
	@echo "make bench   measure speed, as ratios within one run"
	@echo "make bench-fleet  probe 30,191 endpoints on loopback: minutes"
	@echo "make fuzz    damaged documents for every parser, FUZZ_SECONDS (20) for each"
	@echo "make sbom    write what an installation runs with: dist/interlock.cdx.json (CycloneDX)"
	@echo "make docs    make the screenshots and generated pages of README and docs/"
	@echo "make renew   after a change of questions, rules or checks: answer new questions in the samples,"
	@echo "             write the generated pages and golden files anew; read the difference before you keep it"
	@echo "make clean   remove what the targets above made"

setup:
	@scripts/setup

setup-dev:
	@scripts/setup --dev

demo: setup
	@$(BIN)/interlock demo --rehearse --output $(DEMO)

tui: setup
	@test -f $(DEMO)/interlock.yaml || $(BIN)/interlock demo --output $(DEMO)
	@$(BIN)/interlock assess $(DEMO)

tape: setup
	@$(BIN)/python scripts/tape.py tape

test: setup-dev
	@$(BIN)/python -m pytest $(WORKERS)

test-fast: setup-dev
	@$(BIN)/python -m pytest $(WORKERS) -m fast $$(grep -rl --include='test_*.py' 'mark\.fast' tests)

test-all: setup-dev
	@INTERLOCK_TESTS=all $(BIN)/python -m pytest $(WORKERS)

lint: setup-dev
	@$(BIN)/ruff check src tests bench scripts
	@$(BIN)/ruff format --check src tests bench scripts
	@$(BIN)/mypy
	@$(BIN)/mypy bench
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/interlock lint

format: setup-dev
	@$(BIN)/ruff check --fix src tests bench scripts
	@$(BIN)/ruff format src tests bench scripts

bench: setup-dev
	@$(BIN)/python bench/run.py
	@$(BIN)/python bench/robustness.py
	@$(BIN)/python bench/plan_robustness.py

bench-fleet: setup-dev
	@$(BIN)/python bench/probing.py

fuzz:
	@scripts/setup --fuzz
	@$(BIN)/python scripts/fuzz.py

sbom: setup-dev
	@$(BIN)/python scripts/sbom.py

docs: setup-dev
	@$(BIN)/python scripts/docs.py
	@$(BIN)/python scripts/traceability.py
	@$(BIN)/python scripts/checks_page.py
	@$(BIN)/python scripts/answers_page.py
	@$(BIN)/python scripts/keys_page.py

renew: setup-dev
	@$(BIN)/python scripts/samples.py
	@$(BIN)/python scripts/traceability.py
	@$(BIN)/python scripts/checks_page.py
	@$(BIN)/python scripts/answers_page.py
	@$(BIN)/python scripts/keys_page.py
	@INTERLOCK_WRITE_GOLDEN=1 $(BIN)/python -m pytest -q tests/samples -k golden_file
	@$(BIN)/python bench/robustness.py --write >/dev/null
	@$(BIN)/python bench/plan_robustness.py --write >/dev/null
	@echo "Written anew: samples/, docs/traceability.md, docs/checks.md, docs/scoring.md, tests/samples/golden/; read git diff"

clean:
	rm -rf $(VENV) $(DEMO) tape dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis .fuzz
	find src tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +
