#!/usr/bin/env bash
# The description of the interface is valid OpenAPI 3.1, and a running daemon answers as it says to requests that
# nobody here thought up.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${PYTHON:?an interpreter with the libraries of requirements.txt}" "${SPRUE:?the program}"
export SPRUE
# 40 examples for each of 30 operations and the systematic ones take about half a minute.
PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=10 300 "$PYTHON" "$here/openapi.py" "${EXAMPLES:-40}"
echo "openapi: valid, and served as described, $SECONDS s"
