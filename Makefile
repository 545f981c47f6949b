# The front door. `make` alone lists what it can do.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

.PHONY: help run test check bench release fmt clean-data

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build, set up an evaluation installation under var/, play the main job once, serve
	@scripts/setup-build
	@cargo build --bin tenkoku
	@scripts/run

test: ## install what the tests need, run every test on SQLite and PostgreSQL
	@scripts/setup-build
	@scripts/setup-tests
	@cargo build --workspace --all-targets
	@scripts/with-postgres cargo test --workspace --no-fail-fast

check: ## formatting, lints, documentation, dependencies: warnings are errors
	@scripts/setup-build
	@scripts/check

bench: ## measure OCSP, lists, the fleet, issuance, keys in a token, memory; judges nothing
	@scripts/setup-build
	@scripts/setup-tests
	@scripts/bench

release: ## build the optimised binary and its Debian package, under target/
	@scripts/setup-build
	@cargo build --release --bin tenkoku
	@scripts/package

fmt: ## format the code
	@cargo fmt --all

clean-data: ## forget the evaluation installation; asks for its name first
	@scripts/clean-data
