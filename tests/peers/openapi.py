#!/usr/bin/env python3
"""Holds what is served against its own description, by openapi-spec-validator and schemathesis.

    openapi.py EXAMPLES

SPRUE names the program; schemathesis is run by this interpreter. A fixed seed: the same requests each time, EXAMPLES
random ones for each operation beside the systematic ones. Exit code: 0 if the description is valid OpenAPI 3.1
and no answer differs from it; 1 with what differs.
"""

import subprocess
import sys

import openapi_spec_validator

from workshop import Workshop

# Left out: negative_data_rejection and positive_data_acceptance (unknown members are left alone by promise, and
# what a valid order is, no schema can say: designs must have been sent), ignored_auth and the stateful ones (the
# program's own tests check every role at every route).
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance")
SECONDS_MAX = 240


def invalid(document):
    """What is wrong with a description, as lines."""
    errors = openapi_spec_validator.OpenAPIV31SpecValidator(document).iter_errors()
    return [f"openapi.json: {error.message if hasattr(error, 'message') else error}" for error in errors]


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    with Workshop() as shop:
        _, document = shop.call(None, "GET", "/openapi.json")
        problems = invalid(document)
        if shop.call(None, "GET", "/api/v1/openapi.json")[1] != document:
            problems.append("/api/v1/openapi.json and /openapi.json differ")
        operations = [operation for item in document["paths"].values() for operation in item.values()]
        # The validator is no rubber stamp: two operations of one name are not valid.
        first = operations[0]["operationId"]
        operations[0]["operationId"] = operations[1]["operationId"]
        if not invalid(document):
            problems.append("the validator takes two operations with one name")
        operations[0]["operationId"] = first
        print(f"OpenAPI {document['openapi']}: {len(operations)} operations, {len(problems)} errors")
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", f"{shop.base}/openapi.json",
             "--header", f"Authorization: Bearer {shop.keys['admin']}", "--checks", ",".join(CHECKS),
             "--phases", "examples,coverage,fuzzing", "--max-examples", sys.argv[1], "--seed", "1",
             "--generation-database", "none", "--continue-on-failure", "--no-shrink", "--request-timeout", "10",
             # A live stream has no end; its JSON page is asked for by webhooks.py.
             "--exclude-path", "/api/v1/events"],
            cwd=shop.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX)
        summary = done.stdout[done.stdout.rfind("= SUMMARY ="):]
        if done.returncode != 0 or " passed" not in done.stdout:
            problems.append(done.stdout + done.stderr)
        else:
            print("\n".join(line for line in summary.splitlines()[1:] if line.strip()))
        # After all that the daemon is well and its record whole.
        if shop.call(None, "GET", "/readyz")[0] != 200:
            problems.append(f"the daemon is not well any more: {shop.log_tail()}")
        if (status := shop.stop_daemon()) != 0:
            problems.append(f"the daemon ended with {status}: {shop.log_tail()}")
        print("journal:", shop.run("journal", "verify", "--data", str(shop.data)).stderr.strip())
        if "panicked" in shop.log.read_text(errors="replace"):
            problems.append("a handler panicked; the log says where:\n" + shop.log_tail())
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError, TimeoutError, subprocess.SubprocessError) as failure:
        print(f"{type(failure).__name__}: {failure}")
        sys.exit(1)
