#!/usr/bin/env bash
# Reads the same distorted frames with our scanner.wasm and with npm's zxing-wasm, in one process, and prints Markdown.
#
#   benches/peer/frames/run.sh              540 frames (about two minutes)
#   benches/peer/frames/run.sh --quick      54 of them
#   benches/peer/frames/run.sh --seed 7     other frames
#
# Needs Rust and Node 18 or later with npm. What it fetches and makes lies under target/.
set -euo pipefail
# shellcheck source=scripts/support.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../../scripts/support.sh"
exec </dev/null
cd "$ROOT"
have cargo || export PATH="$HOME/.cargo/bin:$PATH"

count=540
seed=20261123
while [[ $# -gt 0 ]]; do
    case "$1" in
        --quick) count=54 ;;
        --seed) seed="$2"; shift ;;
        *) fail "unknown option $1" ;;
    esac
    shift
done

here=benches/peer/frames
peer="$TARGET/bench/frames/peer"
frames="$TARGET/bench/frames/$seed-$count"
mkdir -p "$peer" "$frames"
cp "$here/package.json" "$here/package-lock.json" "$peer/"
if ! cmp -s "$peer/package-lock.json" "$peer/.installed"; then
    (cd "$peer" && npm ci --no-audit --no-fund --loglevel=error >&2)
    cp "$peer/package-lock.json" "$peer/.installed"
fi
cargo build --locked --release --package zyz-scanner --example frames >&2
"$TARGET/release/examples/frames" "$frames" "$count" "$seed" >&2
node "$here/compare.mjs" "$frames" "$peer" crates/http/page
