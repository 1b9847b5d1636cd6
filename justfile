# Short names for what one does daily. `just` alone lists them.

_list:
    @just --list --unsorted

# the main job from beginning to end, in ./demo
demo:
    cargo run --release -- demo

# everything that must hold (what CI runs)
test:
    scripts/test

# the same without other people's software
quick:
    scripts/test --quick

# Rust tests on both databases; arguments go to cargo test
cargo-test *args:
    scripts/with-postgres cargo test --workspace {{ args }}

# other people's software; arguments go to pytest
interop *args:
    scripts/interop {{ args }}

# the pages in Chromium; arguments go to the tests
browser *args:
    scripts/browser {{ args }}

# end to end beside the peers; `just bench --quick` for small sizes, `just bench rate` for one
bench *args:
    scripts/bench {{ args }}

# format and lints
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy --workspace --test browser -- -D warnings

# the crates' documentation, opened
doc:
    cargo doc --workspace --no-deps --open

# the shell scripts' own lints
shellcheck:
    shellcheck -x scripts/* benches/peer/frames/run.sh .ci/run

# licences, duplicates, advisories (needs cargo-deny)
deny:
    cargo deny check
