"""A real Berth with sample servers, for the dashboard of a real one: on loopback, ended with the test."""

import os
import socket
import subprocess
import tempfile
import urllib.request

from serving import TOKEN


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Berth:
    def __init__(self, servers=3, routes=""):
        self.program = os.environ["BERTH_EXECUTABLE"]
        self.folder = tempfile.TemporaryDirectory(prefix="berth-dashboard-")
        self.ports = [free_port() for _ in range(servers)]
        self.admin, self.listen = free_port(), free_port()
        self.path = os.path.join(self.folder.name, "berth.toml")
        token = os.path.join(self.folder.name, "token")
        with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(TOKEN + "\n")
        with open(self.path, "w") as file:
            names = ", ".join(f'"127.0.0.1:{port}"' for port in self.ports)
            file.write(
                f'[global]\nadmin = "127.0.0.1:{self.admin}"\nadmin_token = "file:{token}"\n'
                f'secret = "file:{self.folder.name}/keys"\n\n[listen]\nhttp = "127.0.0.1:{self.listen}"\n\n'
                f'[upstream.mcp]\nservers = [{names}]\nhealth_check = {{ interval = "300ms", timeout = "250ms", fall = 2, rise = 1 }}\n{routes}')
        self.replicas = [self.start("replica", "--port", str(port), "--name", f"r{port}") for port in self.ports]
        self.berth = self.start("run", self.path)

    def start(self, *arguments):
        log = open(os.path.join(self.folder.name, "log"), "ab")
        return subprocess.Popen([self.program, *arguments], stdout=log, stderr=log)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.admin}/dashboard"

    def call(self, body, session=None):
        """One request of MCP; returns its session id."""
        fields = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        if session:
            fields["mcp-session-id"] = session
        request = urllib.request.Request(f"http://127.0.0.1:{self.listen}/mcp", body.encode(), fields)
        with urllib.request.urlopen(request, timeout=20) as response:
            response.read()
            return response.headers.get("mcp-session-id")

    def stop_berth(self):
        self.berth.kill()
        self.berth.wait()

    def close(self):
        for process in [self.berth, *self.replicas]:
            process.kill()
            process.wait()
        self.folder.cleanup()
