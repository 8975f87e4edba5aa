"""A small workshop for checks: the daemon, one simulated resin printer, a bench, and keys.

    with Workshop(hook="http://127.0.0.1:9000/hook") as shop:
        shop.call("admin", "GET", "/api/v1/stations")

SPRUE names the program. Everything lies in a folder of its own; only processes started here are ended.
"""

import datetime
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

SPRUE = os.environ.get("SPRUE", "sprue")
ROLES = ("order-system", "technician", "manager", "admin")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# Simulated seconds in a real one: a print of half an hour takes half a second, and its upload what a wire takes.
SPEED = 3600


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds, ready):
    """Asks `ready` until it answers something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ready()
        if answer:
            return answer
        time.sleep(0.05)
    raise TimeoutError(f"{what}: not within {seconds} s")


class Workshop:
    def __init__(self, hook=None):
        self.temporary = tempfile.TemporaryDirectory(prefix="sprue-peer-")
        self.folder = pathlib.Path(self.temporary.name)
        self.data, self.kept = self.folder / "data", self.folder / "kept"
        self.record, self.log = self.folder / "resin-1.jsonl", self.folder / "log"
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.keys, self.processes, self.daemon = {}, [], None
        self.write(hook)

    def write(self, hook):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        (self.folder / "webhook.secret").write_text(SECRET)
        text = f"""
[workshop]
name = "Judged by foreign programs"
time_zone = "UTC"
listen = "127.0.0.1:{self.port}"
data_dir = "./data"
routing = "print-only"

[simulation]
speed = {SPEED}
started_at = "{now}"
started_real = "{now}"

[limits]
disk_reserve_bytes = 1

[[line]]
name = "usb-1"
port = "{self.folder / "resin-1"}"

[[station]]
name = "resin-1"
driver = "chitu"
profile = "elegoo-mars-4"
material = "bluecast-x-one"
line = "usb-1"

[[station]]
name = "bench"
driver = "manual"

[[person]]
name = "Technician A"
shifts = ["daily 00:00-24:00"]
"""
        if hook:
            text += f'\n[[webhook]]\nurl = "{hook}"\nsecret_file = "./webhook.secret"\nevents = ["order.*", "piece.*"]\n'
        (self.folder / "workshop.toml").write_text(text)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def start(self):
        config = ["--config", str(self.folder / "workshop.toml")]
        for role in ROLES:
            self.keys[role] = self.run("key", "create", "--role", role, "--name", role, *config).stdout.strip()
        self.begin("simulate", "chitu", "--speed", str(SPEED), "--seed", "1", "--link", str(self.folder / "resin-1"),
                   "--keep", str(self.kept), "--record", str(self.record))
        wait_for("the simulated printer", 20, (self.folder / "resin-1").exists)
        self.daemon = self.begin("serve", *config)
        wait_for("the daemon", 20, self.is_ready)

    def begin(self, *words):
        with self.log.open("ab") as log:
            process = subprocess.Popen([SPRUE, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def run(self, *words):
        done = subprocess.run([SPRUE, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"sprue {' '.join(words)}: status {done.returncode}: {done.stderr}")
        return done

    def is_ready(self):
        if self.daemon.poll() is not None:
            raise RuntimeError(f"the daemon ended: {self.log_tail()}")
        try:
            return self.call(None, "GET", "/readyz")[0] == 200
        except OSError:
            return False

    def call(self, role, method, path, body=None, headers=None):
        """Status and answer of a request; a JSON answer is read."""
        headers = dict(headers or {}, Accept="application/json")
        if role:
            headers["Authorization"] = f"Bearer {self.keys[role]}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.base + path, data=body, method=method, headers=headers)
        # Whatever proxy the environment names: this is loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as response:
                status, kind, text = response.status, response.headers.get_content_type(), response.read()
        except urllib.error.HTTPError as refusal:
            status, kind, text = refusal.code, refusal.headers.get_content_type(), refusal.read()
        return status, json.loads(text) if kind.endswith("json") else text

    def stop_daemon(self):
        """Ends it as a service manager does; its exit status."""
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(timeout=30)

    def log_tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:]) if self.log.exists() else ""

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.temporary.cleanup()
