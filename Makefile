# Everything a contributor runs. Needs Python 3.11 or newer, a Rust toolchain and make; the rest goes into .venv.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
# How far `make test` scales the proofs down, and how far `make prove-NAME` does.
TEST_SCALE ?= 0.02
SCALE ?= 1
# SLOW=1 adds the tests that build the sdist and the wheel and install them in fresh environments.
SLOW ?=
# What to run: `make test TESTS=tests/unit`, `make bench BENCH=Search`.
TESTS ?=
BENCH ?=

BIN := .venv/bin
# Inside the environment, so that they vanish with it.
STAMPS := .venv/stamps
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Isolated builds obey the pins too.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export VIRTUAL_ENV := $(CURDIR)/.venv
export PYTHONDONTWRITEBYTECODE := 1
# The theme's announcement of its successor.
export NO_MKDOCS_2_WARNING := 1

CORE_SOURCES := Cargo.toml Cargo.lock $(shell find rust migrations -name target -prune -o -type f \
	\( -name '*.rs' -o -name '*.sql' -o -name '*.json' -o -name Cargo.toml \) -print)

say = @printf '\033[1m==>\033[0m %s\n' $(1)
step = printf '\033[1m==>\033[0m %s\n'

.PHONY: help demo test check bench prove docs wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMPS)/core ## build, then store real text, ask five questions, print answers and timings
	$(call say,"demo")
	@recollect demo

test: $(STAMPS)/core $(STAMPS)/test ## cargo and pytest suites, documentation examples, proofs scaled down (SLOW=1: packaging too)
	$(call say,"tests of the crates")
	@cargo nextest run --locked --workspace --exclude recollect-python --cargo-quiet --no-tests=fail
	$(call say,"examples in the documentation of the crates")
	@cargo test --locked --workspace --exclude recollect-python --doc --quiet
	$(call say,"tests of the package and of the documentation")
	@pytest $(if $(SLOW),,-m "not slow") $(TESTS)
	$(call say,"proofs at scale $(TEST_SCALE)")
	@SCALE=$(TEST_SCALE) python tools/run_proofs.py scaled

check: $(STAMPS)/core $(STAMPS)/check $(STAMPS)/docs ## formatters, linters, types, layers, licences, documentation
	@$(step) "rustfmt";                cargo fmt --all --check
	@$(step) "arrows between crates";  python tools/check_crate_arrows.py
	@$(step) "places of unsafe";       python tools/check_unsafe.py
	@$(step) "shape of files";         python tools/check_file_shape.py
	@$(step) "ruff";                   ruff check --quiet && ruff format --check --quiet
	@$(step) "layers of the package";  lint-imports --config pyproject.toml --cache-dir build/import-linter
	@$(step) "mypy";                   mypy
	@$(step) "pyright";                basedpyright --project pyproject.toml --warnings
	@$(step) "stubs against the core"; python -m mypy.stubtest recollect._core --mypy-config-file pyproject.toml
	@$(step) "cargo deny";             cargo deny --log-level error --locked check bans licenses sources
	@$(step) "clippy";                 cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
	@$(step) "documentation";          mkdocs build --strict --quiet
	@$(step) "all checks passed"

bench: $(STAMPS)/core $(STAMPS)/bench ## run the asv benchmarks against the working tree (BENCH=REGEX chooses)
	$(call say,"benchmarks")
	@cd asv_benchmarks && asv machine --yes >/dev/null && \
	asv run --python=same --show-stderr $(if $(BENCH),--bench "$(BENCH)") \
		$$(commit=$$(git rev-parse HEAD 2>/dev/null) && echo "--set-commit-hash $$commit" || true)

prove: ## list the proofs; `make prove-NAME` runs one in full (SCALE=0.1 for a tenth)
	@$(PYTHON) tools/run_proofs.py list

prove-%: $(STAMPS)/core
	@SCALE=$(SCALE) python tools/run_proofs.py run $*

docs: $(STAMPS)/docs ## build the documentation into site/
	$(call say,"documentation")
	@mkdocs build --strict
	@echo "open site/index.html"

wheel: $(STAMPS)/tool-build ## build the wheel and the sdist into build/wheels/
	$(call say,"wheel")
	@rm -rf build/wheels
	@maturin build --release --locked --sdist --out build/wheels

clean: ## remove everything that was built, the environment included
	@rm -rf build site .venv .hypothesis .ruff_cache asv_benchmarks/.asv python/recollect/_core*.so
	@cargo clean --quiet

# Stamps: what is there is not made again.

$(STAMPS)/venv: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "recollect needs Python 3.11 or newer: make PYTHON=python3.13")'
	$(call say,"environment in .venv")
	@$(PYTHON) -m venv .venv
	@python -m pip install --quiet --upgrade pip
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/tool-%: $(STAMPS)/venv pyproject.toml
	$(call say,"tools: $*")
	@python -m pip install --quiet --group $*
	@touch $@

$(STAMPS)/test: $(STAMPS)/tool-test ; @touch $@
$(STAMPS)/check: $(STAMPS)/tool-check ; @touch $@
$(STAMPS)/docs: $(STAMPS)/tool-docs ; @touch $@
$(STAMPS)/bench: $(STAMPS)/tool-bench ; @touch $@

# One release build serves the demo, the tests of the package, the benchmarks and the wheel.
$(STAMPS)/core: $(CORE_SOURCES) pyproject.toml $(STAMPS)/tool-build
	$(call say,"core: the first build compiles libSQL and takes minutes")
	@PIP_QUIET=1 maturin develop --release --locked
	@touch $@

.PRECIOUS: $(STAMPS)/tool-%
