#!/usr/bin/env bash
# The description of the interface is valid OpenAPI 3.1, and a running daemon answers as it says to requests that
# nobody here thought up.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${PYTHON:?an interpreter with the libraries of requirements.txt}" "${SPRUE:?the program}"
export SPRUE
root="$(cd "$here/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
(cd "$root" && cargo run --quiet --locked --package sprue --example generate_ring -- band us:7 3 1.5 flat -o "$work/band.stl")
# 40 examples for each of 30 operations and the systematic ones take less than a minute.
PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=10 300 "$PYTHON" "$here/openapi.py" "${EXAMPLES:-40}" "$work/band.stl"
echo "openapi: valid, and served as described, $SECONDS s"
