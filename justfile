# Short names for everyday commands. `scripts/test` is the authority on what has to pass.

_default:
    @just --list

# Formatting and lints.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Everything that has to pass, with a throw-away PostgreSQL.
test:
    ./scripts/test

# Only the tests; arguments select some of them.
test-quick *arguments:
    ./scripts/test --quick -- {{ arguments }}

# Kill servers in the middle of writes until something is lost, or for so many seconds.
torture seconds="0":
    FORGE_TORTURE_SECONDS={{ seconds }} cargo test -p forge-cli --locked --test cli torture -- --nocapture

# The Python SDK's tests; needs FORGE_TEST_DATABASE_URL. Arguments go to pytest.
sdk *arguments:
    ./scripts/test_sdk {{ arguments }}

# A conversation with a real model; the first time, llama.cpp is built. Arguments go to pytest.
model *arguments:
    ./scripts/test_model {{ arguments }}

# The benchmarks, or those named; docs/benchmarks.md says what they measure.
bench *names:
    ./scripts/bench {{ names }}

# Change the rules one place at a time: do their tests notice? Needs cargo-mutants, to which arguments go.
mutants *arguments:
    CARGO_PROFILE_TEST_DEBUG=0 PROPTEST_CASES=64 cargo mutants -p forge-domain {{ arguments }}

# Format the sources.
fmt:
    cargo fmt --all

# Make the contract anew from the public API document.
contract document="../shared/api/classic-core.json":
    python3 scripts/strip_contract.py {{ quote(document) }} -o crates/contract/classic.json

# A server with sample data on this machine.
quickstart:
    cargo run --release -- quickstart
