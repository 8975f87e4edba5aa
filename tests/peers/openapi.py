#!/usr/bin/env python3
"""Holds what is served against its own description, by openapi-spec-validator and schemathesis.

    openapi.py EXAMPLES DESIGN.stl

SPRUE names the program; schemathesis is run by this interpreter. A fixed seed: the same requests each time, EXAMPLES
random ones for each operation beside the systematic ones. First with ids that nothing has, then with those of an
order of the design that is planned: first reading, then acting. Exit code: 0 if the description is valid OpenAPI 3.1
and no answer differs from it; 1 with what differs.
"""

import pathlib
import subprocess
import sys

import openapi_spec_validator

from webhooks import push
from workshop import Workshop, wait_for

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


def tries(shop, examples, *options):
    """Lets schemathesis ask; what differs, as lines."""
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).with_name("schemathesis")), *config(shop), "run", f"{shop.base}/openapi.json",
         "--header", f"Authorization: Bearer {shop.keys['admin']}", "--checks", ",".join(CHECKS),
         "--phases", "examples,coverage,fuzzing", "--max-examples", examples, "--seed", "1",
         "--generation-database", "none", "--continue-on-failure", "--no-shrink", "--request-timeout", "10",
         # A live stream has no end; its JSON page is asked for by webhooks.py.
         "--exclude-path", "/api/v1/events", *options],
        cwd=shop.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX)
    counts = [line.strip() for line in done.stdout.splitlines() if " generated, " in line or line.strip().startswith("Tested:")]
    print(*options, *counts)
    if done.returncode != 0 or len(counts) != 2:
        return [done.stdout + done.stderr]
    return []


def config(shop):
    path = shop.folder / "schemathesis.toml"
    return ["--config-file", str(path)] if path.exists() else []


def name_real_things(shop, design):
    """From here on the ids in addresses are those of things that are there."""
    order = push(shop, 1, design)
    piece = shop.call("admin", "GET", f"/api/v1/orders/{order}")[1]["pieces"][0]["id"]
    timeline = lambda: shop.call("admin", "GET", f"/api/v1/pieces/{piece}/timeline")[1]["operations"]
    task = wait_for("planned operations", 60, timeline)[0]
    body = {"url": "http://127.0.0.1:9/nobody", "events": ["order.*"]}
    endpoint = shop.call("admin", "POST", "/api/v1/webhooks", body)[1]["id"]
    ids = {"orders/{id}": order, "pieces/{id}": piece, "tasks/{id}": task["id"], "operations/{id}": task["id"],
           "webhooks/{id}": endpoint, "stations/{name}": "resin-1"}
    text = ""
    for address, value in ids.items():
        start, parameter = address.rstrip("}").split("{")
        text += f'[[operations]]\ninclude-path-regex = "^/api/v1/{start}"\nparameters = {{ "path.{parameter}" = "{value}" }}\n\n'
    (shop.folder / "schemathesis.toml").write_text(text)
    for address, value in ids.items():
        path = "/api/v1/" + address.split("{")[0] + value
        path += {"operations/{id}": "/why", "webhooks/{id}": "/deliveries"}.get(address, "")
        status, answer = (200, None) if address == "tasks/{id}" else shop.call("admin", "GET", path)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {answer}")


def check_description(shop):
    _, document = shop.call(None, "GET", "/openapi.json")
    problems = invalid(document)
    if shop.call(None, "GET", "/api/v1/openapi.json")[1] != document:
        problems.append("/api/v1/openapi.json and /openapi.json differ")
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    print(f"OpenAPI {document['openapi']}: {len(operations)} operations, {len(problems)} errors")
    # The validator is no rubber stamp: two operations of one name are not valid.
    operations[0]["operationId"] = operations[1]["operationId"]
    if not invalid(document):
        problems.append("the validator takes two operations with one name")
    return problems


def check_daemon(shop):
    """After all that the daemon is well and its record whole."""
    problems = []
    if shop.call(None, "GET", "/readyz")[0] != 200:
        problems.append(f"the daemon is not well any more: {shop.log_tail()}")
    if (status := shop.stop_daemon()) != 0:
        problems.append(f"the daemon ended with {status}: {shop.log_tail()}")
    print("journal:", shop.run("journal", "verify", "--data", str(shop.data)).stderr.strip())
    if "panicked" in shop.log.read_text(errors="replace"):
        problems.append("a handler panicked; the log says where:\n" + shop.log_tail())
    return problems


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    examples, design = sys.argv[1], pathlib.Path(sys.argv[2])
    # A shop of its own for each: what is asked at random pauses stations and stops machines.
    with Workshop() as shop:
        problems = check_description(shop)
        problems += tries(shop, examples)
        problems += check_daemon(shop)
    with Workshop() as shop:
        name_real_things(shop, design)
        problems += tries(shop, examples, "--include-method", "GET")
        problems += tries(shop, examples, "--include-method", "POST")
        problems += check_daemon(shop)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError, TimeoutError, subprocess.SubprocessError) as failure:
        print(f"{type(failure).__name__}: {failure}")
        sys.exit(1)
