"""Berth on its core, its servers, and its CPU, memory and statistics."""

import ctypes
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from . import actors

CONFIGURATION = """\
[global]
workers = 1
admin = "127.0.0.1:{admin}"
secret = "file:{directory}/session.keys"
[[listen]]
http = "127.0.0.1:{http}"
https = "127.0.0.1:{https}"
cert = "{directory}/cert.pem"
key = "{directory}/key.pem"
# So that slow clients are closed within a slice, and the bench sees what it costs that they come back.
timeouts = {{ idle = "1s", tls = "1s", header = "2s", body = "2s" }}
[[listen]]
http = "127.0.0.1:{guarded}"
https = "127.0.0.1:{guarded_https}"
cert = "{directory}/cert.pem"
key = "{directory}/key.pem"
{connection_opens}
timeouts = {{ idle = "1s", tls = "1s", header = "2s", body = "2s" }}
[[listen]]
http = "127.0.0.1:{limited}"
max_connections_per_address = 100
timeouts = {{ idle = "1s", tls = "1s", header = "2s", body = "2s" }}
[upstream.mcp]
servers = ["127.0.0.1:{replica}"]
[upstream.sink]                             # requests of attacks go to a server of their own
servers = ["127.0.0.1:{sink}"]
pool = {{ max = 1024 }}
[[route]]
path = "/limited/*"
upstream = "sink"
rate_limit = [{{ key = "ip", method = "initialize", rate = "30/min" }}]
stream_opens = "30/min"
[[route]]
path = "/attack"
upstream = "sink"
[[route]]
path = "/attack/*"
upstream = "sink"
[[route]]
upstream = "mcp"
"""


class StageError(Exception):
    """An error that ends the run; the message is printed."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise StageError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return value


class Stage:
    """Starts and ends all processes."""

    def __init__(self, berth, directory, berth_cpu, load_cpu):
        self.directory, self.children = Path(directory), []
        names = ("http", "https", "limited", "guarded", "guarded_https", "admin")
        self.ports = {name: free_port() for name in names}
        self.https, self.admin = self.ports["https"], self.ports["admin"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", "/CN=localhost", "-keyout", self.directory / "key.pem", "-out", self.directory / "cert.pem"],
            check=True, capture_output=True)
        replica, sink = self.replica(load_cpu, False), self.replica(load_cpu, True)
        # An older Berth does not have the key; then its rows show what happens without.
        opens = 'connection_opens = "20/s"'
        path = self.directory / "check.toml"
        path.write_text(f'[listen]\nhttp = ":1"\n{opens}\n[upstream.a]\nservers = ["127.0.0.1:2"]\n')
        if subprocess.run([berth, "check", path], capture_output=True).returncode:
            opens = ""
        path = self.directory / "berth.toml"
        path.write_text(CONFIGURATION.format(
            directory=directory, replica=replica, sink=sink, connection_opens=opens, **self.ports))
        self.log = open(self.directory / "berth.log", "wb")
        self.berth = subprocess.Popen(
            [berth, "run", path], stdout=self.log, stderr=subprocess.STDOUT,
            preexec_fn=lambda: (actors.settle(berth_cpu), dies_with_parent()))
        until(self.answers, 10, "Berth answering")

    def replica(self, cpu, idle):
        port = multiprocessing.Value("i", 0)
        self.start(actors.serve, cpu, idle, port)
        return until(lambda: port.value, 10, "a replica listening")

    def start(self, function, *arguments):
        child = multiprocessing.Process(target=actor, args=(function, *arguments), daemon=True)
        child.start()
        self.children.append(child)
        return child

    def answers(self):
        if self.berth.poll() is not None:
            raise StageError("Berth ended:\n" + (self.directory / "berth.log").read_text(errors="replace")[-2000:])
        try:
            return self.stats()
        except OSError:
            return None

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/stats", timeout=5) as answer:
            return json.load(answer)

    def counter(self, name):
        found = self.stats()
        return found["http2_abuse"].get(name, found.get(name, 0))

    def is_alive(self):
        return self.berth.poll() is None and bool(self.answers())

    def forwarded(self):
        """Requests that the attackers' server has got."""
        return sum(server["requests"] for upstream in self.stats()["upstreams"] if upstream["name"] == "sink"
                   for server in upstream["servers"])

    def memory(self, kind="RssAnon"):
        """Bytes that Berth has in memory; anonymous ones if not said otherwise."""
        for line in Path(f"/proc/{self.berth.pid}/status").read_text().splitlines():
            if line.startswith(kind):
                return int(line.split()[1]) * 1024
        return 0

    def cpu(self):
        """Seconds of CPU that Berth has used."""
        fields = Path(f"/proc/{self.berth.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if hasattr(self, "berth"):
            self.berth.terminate()
            try:
                self.berth.wait(10)
            except subprocess.TimeoutExpired:
                self.berth.kill()
        for child in self.children:
            child.join(0.1)
            if child.is_alive():
                child.terminate()


def dies_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def actor(function, *arguments):
    dies_with_parent()
    try:
        function(*arguments)
    except KeyboardInterrupt:
        pass
