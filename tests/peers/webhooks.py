#!/usr/bin/env python3
"""A whole small workshop whose webhooks are judged by the library `standardwebhooks`.

    webhooks.py DESIGN.stl...

SPRUE names the program. An order for each design is pushed with a key of the order system; a technician works
through the API until every order is completed. The receiver refuses some deliveries at first. Exit code: 0 if
everything that was promised came, signed and in order, and the printer got what was recorded; 1 with one line
for each thing that is wrong.
"""

import hashlib
import http.server
import json
import pathlib
import sqlite3
import subprocess
import sys
import threading

import standardwebhooks
import trimesh

import check_slices
from workshop import SECRET, Workshop, wait_for

# A print's upload is the slow part: seconds. This is far above.
PATIENCE_S = 150
# What a whole run of the routing "print-only" tells, in the order of its first occurrence.
EXPECTED = ["order.accepted", "piece.checked", "piece.planned", "piece.operation_started", "piece.operation_finished",
            "piece.finished", "order.completed"]


class Inbox:
    """What came to one address, and which deliveries fail at first."""

    def __init__(self, fail_once=()):
        self.secret, self.fail_once = None, dict(fail_once)
        self.requests, self.problems, self.lock = [], [], threading.Lock()

    def take(self, headers, body):
        """The status to answer; `None` hangs up without a word."""
        with self.lock:
            try:
                message = standardwebhooks.Webhook(self.secret).verify(body, headers)
            except Exception as refusal:  # The library raises several kinds; none may come.
                self.problems.append(f"not verified: {refusal}: {headers} {body!r}")
                return 401
            known = any(request["id"] == headers["webhook-id"] for request in self.requests)
            plan = None if known else self.fail_once.pop(message["type"], None)
            status = {None: 204, "error": 500, "hang up": None}[plan]
            self.requests.append({"id": headers["webhook-id"], "headers": headers, "body": body, "message": message, "status": status})
            return status

    def accepted(self):
        with self.lock:
            return [request for request in self.requests if request["status"] == 204]


def receiver(inboxes):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = inboxes[self.path].take(headers, body)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def push(shop, number, design):
    """Pushes a design and two of it; the order's id, and what it says when it is pushed again."""
    stl = design.read_bytes()
    sha256 = hashlib.sha256(stl).hexdigest()
    status, answer = shop.call("order-system", "PUT", f"/api/v1/designs/{sha256}", stl, {"Content-Type": "model/stl"})
    if status != 201:
        raise RuntimeError(f"{design.name} was not taken: {status} {answer}")
    body = {
        "external_ref": f"SO-{number}", "due": "2099-12-18T17:00:00Z",
        "pieces": [{"external_ref": f"SO-{number}-1", "design_sha256": sha256, "quantity": number, "alloy": "au750-yellow"}],
        "approval": {"by": "designer@house", "at": "2026-11-20T10:00:00Z", "design_sha256": [sha256]},
    }
    answers = [shop.call("order-system", "POST", "/api/v1/orders", body, {"Idempotency-Key": f"key-{number}"}) for _ in range(2)]
    if answers[0][0] != 201 or answers[1] != answers[0]:
        raise RuntimeError(f"the order for {design.name} was not taken, or not the same twice: {answers}")
    return answers[0][1]["id"]


def work(shop):
    """One look around by the technician: clears plates, starts what is ready, records what is asked."""
    for station in shop.call("technician", "GET", "/api/v1/stations")[1]["items"]:
        if station["state"] == "needs_clearing":
            shop.call("technician", "POST", f"/api/v1/stations/{station['name']}/ready", {})
    for task in shop.call("technician", "GET", "/api/v1/tasks")[1]["items"]:
        path = f"/api/v1/tasks/{task['id']}"
        if task["by_hand"] and task["state"] == "planned" and task["ready"]:
            shop.call("technician", "POST", f"{path}/start", {})
        elif task["by_hand"] and task["state"] == "running":
            recorded = {record["name"]: "bath 3" if record["unit"] == "text" else 4.2 for record in task["records"]}
            shop.call("technician", "POST", f"{path}/complete", {"recorded": recorded})


def all_completed(shop, orders):
    work(shop)
    states = [shop.call("manager", "GET", f"/api/v1/orders/{order}")[1]["state"] for order in orders]
    return all(state == "completed" for state in states)


def events(shop):
    """Every public event, from the record, by its number."""
    found, after = {}, 0
    while True:
        page = shop.call("manager", "GET", f"/api/v1/events?after={after}")[1]
        if not page["items"]:
            return found
        found.update((event["data"]["seq"], event) for event in page["items"])
        after = page["next"]


def check_messages(inbox, recorded, orders, report):
    """All that is recorded came, as recorded, and in order per order also past refusals."""
    came = {}
    for request in inbox.accepted():
        came.setdefault(request["message"]["data"]["seq"], request["message"])
    for seq, event in recorded.items():
        if came.get(seq) != event:
            report(f"event {seq} is recorded as {event} and came as {came.get(seq)}")
    if set(came) - set(recorded):
        report(f"came and are not recorded: {sorted(set(came) - set(recorded))}")
    for order in orders:
        tries = [request for request in inbox.requests if request["message"]["data"]["order_id"] == order]
        numbers = [request["message"]["data"]["seq"] for request in tries]
        if numbers != sorted(numbers):
            report(f"{order}: tried in the order {numbers}")
        types = list(dict.fromkeys(request["message"]["type"] for request in tries if request["status"] == 204))
        first = [kind for kind in types if kind in EXPECTED]
        if first != EXPECTED or types[0] != EXPECTED[0] or types[-1] != EXPECTED[-1]:
            report(f"{order}: expected {EXPECTED}, came {types}")
    for request in inbox.requests:
        message = request["message"]
        if not {"type", "timestamp", "data"} <= set(message) or not {"seq", "order_id", "external_ref"} <= set(message["data"]):
            report(f"members are missing: {message}")
    refused = [request for request in inbox.requests if request["status"] != 204]
    if inbox.fail_once or not refused:
        report(f"never had to be refused: {inbox.fail_once}")
    for request in refused:
        again = [other for other in inbox.requests if other["id"] == request["id"] and other["status"] == 204]
        if len(again) != 1 or again[0]["body"] != request["body"]:
            report(f"refused once, then not accepted once and the same: {request['message']}")


def check_negatives(request, report):
    """The library is no rubber stamp: nothing that was altered passes it."""
    headers, body = request["headers"], request["body"]
    altered = {
        "body": (SECRET, headers, body.replace(b"order", b"0rder", 1)),
        "id": (SECRET, {**headers, "webhook-id": headers["webhook-id"] + "0"}, body),
        "time": (SECRET, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body),
        "secret": ("whsec_" + "A" * 32, headers, body),
    }
    standardwebhooks.Webhook(SECRET).verify(body, headers)
    for what, (secret, sent, text) in altered.items():
        try:
            standardwebhooks.Webhook(secret).verify(text, sent)
            report(f"the library takes a message with another {what}")
        except standardwebhooks.webhooks.WebhookVerificationError:
            pass


def check_prints(shop, designs, report):
    """What the printer received is what was recorded, sound, and as large as what was ordered."""
    record = [json.loads(line) for line in shop.record.read_text().splitlines()]
    database = sqlite3.connect(f"file:{shop.data / 'journal.sqlite'}?mode=ro", uri=True)
    rows = database.execute("SELECT body FROM journal WHERE kind = 'plate.sliced'").fetchall()
    database.close()
    sliced = {file["sha256"]: file for file in (find_file(json.loads(body)) for (body,) in rows)}
    uploads = [entry for entry in record if entry["event"] == "upload_completed"]
    printed_ml = 0
    for upload in uploads:
        path = shop.kept / upload["name"]
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        known = sliced.get(sha256)
        if known is None or sha256 != upload["sha256"]:
            report(f"{path.name}: the printer has {sha256}, recorded are {list(sliced)}")
            continue
        file = check_slices.Goo(data)
        lit = sum(bool(check_slices.lit_part(file.layer(index)[0]).size) for index in range(file.count))
        inspected = json.loads(shop.run("inspect", str(path), "--json").stdout)
        ends = [entry["layers"] for entry in record if entry["event"] == "print_finished" and entry["name"] == upload["name"]]
        counts = {"file": file.count, "lit": lit, "record": known["layers"], "inspect": len(inspected["layers"]), "printer": ends}
        if {file.count, lit, known["layers"], len(inspected["layers"])} != {file.count} or ends != [file.count]:
            report(f"{path.name}: layers differ: {counts}")
        print(f"{path.name}: {counts}, {file.volume_ml:.3f} ml, sha256 {sha256[:12]}... as recorded")
        printed_ml += file.volume_ml
    if not uploads:
        report("the printer received nothing")
    ordered_ml = sum(number * volume_ml(design) for number, design in enumerate(designs, 1))
    # Patterns are printed larger than the ring, never smaller: resin and metal shrink by a few percent.
    if not 1.0 <= printed_ml / ordered_ml <= 1.15:
        report(f"{printed_ml} ml were printed for {ordered_ml} ml of rings")
    print(f"printed {printed_ml:.3f} ml for rings of {ordered_ml:.3f} ml")


def find_file(event):
    """The file in an event of the journal, however deep."""
    if isinstance(event, dict):
        if "sha256" in event and "layers" in event:
            return event
        return next((found for found in map(find_file, event.values()) if found), None)
    return None


def volume_ml(design):
    mesh = trimesh.load(design, force="mesh")
    trimesh.repair.fix_normals(mesh)
    return abs(mesh.volume) / 1000


def main():
    designs = [pathlib.Path(name) for name in sys.argv[1:]]
    if not designs:
        print(__doc__)
        return 2
    problems = []
    # The first of a type is refused once, in two manners.
    everything, completions = Inbox({"piece.checked": "error", "piece.operation_finished": "hang up"}), Inbox()
    everything.secret = SECRET
    server = receiver({"/hook": everything, "/completed": completions})
    address = f"http://127.0.0.1:{server.server_port}"
    with Workshop(f"{address}/hook") as shop:
        body = {"url": f"{address}/completed", "events": ["order.completed"]}
        status, endpoint = shop.call("admin", "POST", "/api/v1/webhooks", body)
        completions.secret = endpoint["secret"]
        orders = [push(shop, number, design) for number, design in enumerate(designs, 1)]
        wait_for("all orders completed", PATIENCE_S, lambda: all_completed(shop, orders))
        recorded = events(shop)
        wait_for("all webhooks", PATIENCE_S, lambda: len({r["id"] for r in everything.accepted()}) >= len(recorded)
                 and len(completions.accepted()) >= len(orders))
        check_messages(everything, recorded, orders, problems.append)
        check_negatives(everything.accepted()[0], problems.append)
        if sorted(r["message"]["data"]["order_id"] for r in completions.accepted()) != sorted(orders):
            problems.append(f"the endpoint for completions heard {[r['message'] for r in completions.requests]}")
        check_prints(shop, designs, problems.append)
        while_running = shop.run("journal", "verify", "--data", str(shop.data)).stderr.strip()
        if (status := shop.stop_daemon()) != 0:
            problems.append(f"the daemon ended with {status}: {shop.log_tail()}")
        print(f"journal: {while_running}; stopped: {shop.run('journal', 'verify', '--data', str(shop.data)).stderr.strip()}")
        problems += everything.problems + completions.problems
        if problems:
            print(shop.log_tail())
    server.shutdown()
    print(f"{len(orders)} orders, {len(recorded)} events, {len(everything.requests)} + {len(completions.requests)} requests verified")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError, TimeoutError, subprocess.SubprocessError) as failure:
        print(f"{type(failure).__name__}: {failure}")
        sys.exit(1)
