"""The proxies that are compared, each started from its template in bench/peers/."""

import os
import pwd
import re
import resource
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .processes import BenchError, Child, free_port

TEMPLATES = Path(__file__).resolve().parent.parent / "peers"
ORDER = ("berth", "nginx", "haproxy")
BETTER_OF = ("nginx", "haproxy")  # what every ratio is taken against
CONTROL = "nginx-again"           # a second nginx: its ratio to the first is the noise of a run


@dataclass
class Machine:
    """What all peers share in one run: cores, a scratch directory, a certificate, limits."""
    directory: Path
    proxy_cpu: int
    load_cpu: int
    files: int = field(default_factory=lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[0])

    def __post_init__(self):
        self.certificate, self.key = self.directory / "cert.pem", self.directory / "key.pem"
        self.bundle = self.directory / "bundle.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)
        self.bundle.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())


@dataclass
class Peer:
    """A running proxy and where it listens."""
    name: str
    child: Child
    http: int
    https: int
    session: int

    def port(self, tls):
        return self.https if tls else self.http


def user_directive():
    """nginx's `user` line: as root it would drop to an account that cannot read the scratch directory."""
    return f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""


def render(template, values, target):
    """Fills the @NAMES@ of `template` in and writes `target`; a name without a value is an error."""
    def value(match):
        if match[1] not in values:
            raise BenchError(f"{template} names @{match[1]}@, which nothing fills in")
        return str(values[match[1]])
    target.write_text(re.sub(r"@([A-Z]+)@", value, (TEMPLATES / template).read_text()))
    return target


def executables(berth):
    """Path of each peer's program, for those that are there."""
    nginx, haproxy = (shutil.which(n, path=os.environ.get("PATH", "") + ":/usr/sbin") for n in BETTER_OF)
    found = {"berth": str(berth) if os.access(berth, os.X_OK) else None,
             "nginx": nginx, "haproxy": haproxy, CONTROL: nginx}
    return {name: path for name, path in found.items() if path}


def start(name, executable, machine, replicas):
    """Starts a peer in front of the ports `replicas`; tries again if somebody took one of its ports meanwhile."""
    for attempt in (1, 2, 3):
        try:
            return _start(name, executable, machine, replicas)
        except BenchError:
            if attempt == 3:
                raise


def _start(name, executable, machine, replicas):
    http, https, session, admin = (free_port() for _ in range(4))
    directory = machine.directory / f"{name}-{http}"
    directory.mkdir()
    values = {
        "DIR": directory, "FILES": machine.files, "CONNECTIONS": machine.files // 2 - 200, "USER": user_directive(),
        "CERT": machine.certificate, "KEY": machine.key, "BUNDLE": machine.bundle,
        "HTTP": f"127.0.0.1:{http}", "HTTPS": f"127.0.0.1:{https}", "SESSION": f"127.0.0.1:{session}",
        "ADMIN": f"127.0.0.1:{admin}",
    }
    if name == "berth":
        values["SERVERS"] = ", ".join(f'"127.0.0.1:{port}"' for port in replicas)
        argv = [executable, "run", render("berth.toml.in", values, directory / "berth.toml")]
        session = http  # Berth keeps sessions wherever it listens
    elif name == "haproxy":
        values["SERVERS"] = "\n    ".join(f"server mcp-{i} 127.0.0.1:{port}" for i, port in enumerate(replicas, 1))
        argv = [executable, "-db", "-f", render("haproxy.cfg.in", values, directory / "haproxy.cfg")]
    else:
        values["SERVERS"] = "\n        ".join(f"server 127.0.0.1:{port};" for port in replicas)
        argv = [executable, "-p", directory, "-e", directory / "nginx.log", "-c", render("nginx.conf.in", values, directory / "nginx.conf")]
    child = Child(name, argv, machine.proxy_cpu, directory / "output.log")
    try:
        for port in {http, https, session}:
            child.wait_for_port(port)
    except BaseException:
        child.stop()
        raise
    return Peer(name, child, http, https, session)


def version(name, executable):
    """The first line a program says about itself."""
    flag = {"berth": "version"}.get(name, "-v")
    ran = subprocess.run([executable, flag], capture_output=True, text=True, timeout=10)
    return (ran.stdout + ran.stderr).strip().split("\n")[0]
