#!/usr/bin/env bash
# A whole small workshop: real rings ordered, printed on a simulated printer, finished by a technician through the
# API; every webhook is judged by the library standardwebhooks, the printer's file by the reader of check_slices.py.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
: "${PYTHON:?an interpreter with the libraries of requirements.txt}" "${SPRUE:?the program}"
export SPRUE
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

(cd "$root" && cargo run --quiet --locked --package sprue --example generate_ring -- band us:7 3 1.5 comfort -o "$work/band.stl")
designs=("$work/band.stl")
real="${SPRUE_SHARED:-$root/../shared}/meshes/real_bartmassey_ring_prong.stl.gz"
if [[ -r $real ]]; then
  gzip -dc "$real" >"$work/prong.stl"
  designs+=("$work/prong.stl")
else
  echo "$(basename "$real") is not there; left out"
fi
PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=10 420 "$PYTHON" "$here/webhooks.py" "${designs[@]}"
echo "webhooks: verified, complete and in order, $SECONDS s"
