#!/bin/sh
# Compute all runs of job @JOB@ again, compare them bit by bit with those in data/, and compare the
# tables made of them. Needs bilancio on the PATH; requirements.txt has its version.
# Exits with 0 where all is identical, else with 1.
set -u

fail() {
    echo "replicate.sh: $1" >&2
    exit 1
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || fail "its folder cannot be entered"
command -v bilancio >/dev/null || fail "bilancio is not on the PATH; see requirements.txt"
work=$(mktemp -d) || fail "no temporary folder can be made"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Settings of the caller, and experiments that they name, have no part in it.
for name in $(env | sed -n 's/^\(BILANCIO_[A-Z_]*\)=.*/\1/p'); do
    unset "$name"
done
export BILANCIO_DATABASE_URL="sqlite:///$work/store.db" BILANCIO_OUT_DIR="$work/out"
export PYTHONDONTWRITEBYTECODE=1

mkdir "$work/out" && cp -R "$here/data/@JOB@" "$work/out/" || fail "data/ cannot be copied"
cd "$here/code" || fail "code/ is missing"
bilancio jobs import "$work/out/@JOB@" || fail "data/ cannot be read"
bilancio jobs verify @JOB@ --all || fail "the runs are not identical"
bilancio jobs export @JOB@ "$work/again" >/dev/null || fail "the tables cannot be made again"
for table in "$here/data/@JOB@"/*.csv "$here/data/@JOB@/summary.json"; do
    [ -e "$table" ] || continue
    cmp "$table" "$work/again/@JOB@/$(basename "$table")" || fail "$(basename "$table") differs"
done
echo "Job @JOB@: all runs and tables are identical."
