#!/usr/bin/env bash
# `.ctb`, `.cbddlp`, `.photon` and the `.pwmx` family, in all versions: our files read by a reader that was written
# from the published layouts in another language, and by pyphotonfile; and the file that pyphotonfile writes, read by us.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
: "${PYTHON:?an interpreter with the libraries of requirements.txt}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/ours"

formats() { (cd "$root" && cargo run --quiet --locked --package sprue --example every_format -- "$@"); }

formats write "$work/ours" >"$work/written.txt"
PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=10 300 "$PYTHON" "$here/formats_a.py" judge "$work/ours" "$work/theirs.photon"
formats read "$work/theirs.photon" >"$work/read.txt"
PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=10 120 "$PYTHON" "$here/formats_a.py" compare "$work/ours" "$work/read.txt"
