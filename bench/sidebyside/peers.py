"""The proxies that are compared, each started from its template in bench/peers/."""

import os
import pwd
import re
import resource
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import fetched
from .processes import BenchError, Child, free_port, poll_until

TEMPLATES = Path(__file__).resolve().parent.parent / "peers"
ORDER = ("berth", "nginx", "haproxy", "nghttpx", "envoy", "caddy")
BETTER_OF = ("nginx", "haproxy")  # what every gated ratio is taken against
CONTROL = "nginx-again"           # a second nginx: its ratio to the first is the noise of a run
CLOSE = ("berth", *BETTER_OF, CONTROL)  # measured in every round; the others in as many as --other-rounds says


@dataclass
class Machine:
    """What all peers share in one run: cores, a scratch directory, a certificate, limits."""
    directory: Path
    proxy_cpu: int
    load_cpu: int
    berth_load: Path
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
    values: dict
    http: int
    https: int
    session: int   # with the best session affinity of this proxy
    address: int   # keeps clients by their address (nginx)
    cookie: int    # keeps clients that keep cookies (Caddy)
    standby: Child = None  # a second HAProxy, which holds the table of sessions too
    warm: set = field(default_factory=set)  # kinds of load that it has been under

    def port(self, tls):
        return self.https if tls else self.http

    def stop(self):
        self.child.stop()
        if self.standby:
            self.standby.stop()

    def restart(self):
        """Ends the proxy as its service manager would, and starts it again where it was."""
        self.child.stop(15)
        self.child.start()
        self.wait()

    def wait(self, seconds=10):
        for port in {self.http, self.https, self.session}:
            self.child.wait_for_port(port, seconds)

    def reload(self):
        """Makes the proxy reload its configuration; returns the method in a word, None if it has none."""
        return RELOADS[self.name](self)


def user_directive():
    """nginx's `user` line: as root it would drop to an account that cannot read the scratch directory."""
    return f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""


def render(template, values, target):
    """Fills the @NAMES@ of `template` in and writes `target` in one step; a name without a value is an error."""
    def value(match):
        if match[1] not in values:
            raise BenchError(f"{template} names @{match[1]}@, which nothing fills in")
        return str(values[match[1]])
    staged = target.with_name(target.name + ".new")
    staged.write_text(re.sub(r"@([A-Z]+)@", value, (TEMPLATES / template).read_text()))
    return staged.rename(target)


def executables(berth):
    """Path of each peer's program, for those that are there."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    found = {name: shutil.which(name, path=path) for name in ("nginx", "haproxy", "nghttpx")}
    found |= {name: fetched.executable(name) for name in fetched.WHEELS}
    found |= {"berth": str(berth) if os.access(berth, os.X_OK) else None, CONTROL: found["nginx"]}
    return {name: path for name, path in found.items() if path}


def start(name, executable, machine, replicas, affinity="none", wrapper=(), timeout=10):
    """Starts a peer in front of the ports `replicas`, under the command `wrapper` if there is one, and waits `timeout`
    seconds for it; tries again if another process took one of its ports meanwhile."""
    for attempt in (1, 2, 3):
        try:
            return _start(name, executable, machine, replicas, affinity, wrapper, timeout)
        except BenchError:
            if attempt == 3:
                raise


def _start(name, executable, machine, replicas, affinity, wrapper, timeout):
    ports = {use: free_port() for use in ("HTTP", "HTTPS", "SESSION", "ADDRESS", "COOKIE", "ADMIN", "PEERS")}
    directory = machine.directory / f"{name}-{ports['HTTP']}"
    directory.mkdir()
    values = {
        "DIR": directory, "FILES": machine.files, "CONNECTIONS": machine.files // 2 - 200, "USER": user_directive(),
        "CERT": machine.certificate, "KEY": machine.key, "BUNDLE": machine.bundle, "NAME": "bench", "GENERATION": 1,
        "SERVERS": _servers(name, replicas, affinity), "PEERLIST": f"peer bench 127.0.0.1:{ports['PEERS']}",
    } | {use: f"127.0.0.1:{port}" for use, port in ports.items()} | {f"{use}PORT": port for use, port in ports.items()}
    # Berth keeps sessions wherever it listens, and nghttpx keeps clients everywhere or nowhere.
    if name in ("berth", "nghttpx"):
        ports |= {"SESSION": ports["HTTP"], "ADDRESS": ports["HTTP"], "COOKIE": ports["HTTP"]}
    if affinity == "peer":
        values["PEERLIST"] += f"\n    peer standby 127.0.0.1:{free_port()}"
    environment = {"GOMAXPROCS": "1", "HOME": str(directory)} if name == "caddy" else {}
    child = Child(name, [*wrapper, *ARGUMENTS[name](executable, values, directory)], machine.proxy_cpu,
                  directory / "output.log", environment)
    peer = Peer(name, child, values, *(ports[use] for use in ("HTTP", "HTTPS", "SESSION", "ADDRESS", "COOKIE")))
    try:
        peer.wait(timeout)
        if affinity == "peer":
            peer.standby = _standby(executable, values, machine, directory)
    except BaseException:
        peer.stop()
        raise
    return peer


def _standby(executable, values, machine, directory):
    """A second HAProxy beside the one of `values`, which carries no traffic and is
    told of every session that the other learns."""
    ports = {use: free_port() for use in ("HTTP", "HTTPS", "SESSION")}
    mine = values | {use: f"127.0.0.1:{port}" for use, port in ports.items()} | {"DIR": directory / "standby", "NAME": "standby"}
    mine["DIR"].mkdir()
    child = Child("haproxy standby", _haproxy(executable, mine, mine["DIR"]), machine.load_cpu, mine["DIR"] / "output.log", {})
    try:
        child.wait_for_port(ports["HTTP"], 10)
    except BaseException:
        child.stop()
        raise
    return child


def _servers(name, replicas, affinity):
    """The replicas as the configuration of `name` writes them."""
    if name == "berth":
        return ", ".join(f'"127.0.0.1:{port}"' for port in replicas)
    if name == "haproxy":
        return "\n    ".join(f"server mcp-{i} 127.0.0.1:{port}" for i, port in enumerate(replicas, 1))
    if name == "nghttpx":
        kept = {"cookie": "cookie;affinity-cookie-name=berth-bench;affinity-cookie-path=/"}.get(affinity, affinity)
        return "\n".join(f"backend=127.0.0.1,{port};/;proto=http/1.1;affinity={kept}" for port in replicas)
    if name == "envoy":
        return ", ".join("{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: %d } } } }" % port
                         for port in replicas)
    if name == "caddy":
        return " ".join(f"127.0.0.1:{port}" for port in replicas)
    return "\n        ".join(f"server 127.0.0.1:{port};" for port in replicas)


def _berth(executable, values, directory):
    return [executable, "run", render("berth.toml.in", values, directory / "berth.toml")]


def _nginx(executable, values, directory):
    return [executable, "-p", directory, "-e", directory / "nginx.log", "-c",
            render("nginx.conf.in", values, directory / "nginx.conf")]


def _haproxy(executable, values, directory):
    # A master over the worker, as Debian's service has it: it idles, and is what takes a reload.
    return [executable, "-W", "-db", "-L", values["NAME"], "-f", render("haproxy.cfg.in", values, directory / "haproxy.cfg")]


def _nghttpx(executable, values, directory):
    return [executable, "--conf", render("nghttpx.conf.in", values, directory / "nghttpx.conf")]


def _envoy(executable, values, directory):
    render("envoy-clusters.yaml.in", values, directory / "clusters.yaml")
    render("envoy-listeners.yaml.in", values, directory / "listeners.yaml")
    return [executable, "-c", render("envoy.yaml.in", values, directory / "envoy.yaml"), "--concurrency", "1",
            "--disable-hot-restart", "--log-level", "error", "--drain-time-s", "1", "--drain-strategy", "immediate"]


def _caddy(executable, values, directory):
    return [executable, "run", "--adapter", "caddyfile", "--config", render("Caddyfile.in", values, directory / "Caddyfile")]


ARGUMENTS = {"berth": _berth, "nginx": _nginx, CONTROL: _nginx, "haproxy": _haproxy, "nghttpx": _nghttpx, "envoy": _envoy,
             "caddy": _caddy}


def _by_signal(number):
    def reload(peer):
        before = set(peer.child.tree())
        for timeout in (3, 10):  # HAProxy's master loses a signal that comes while it executes itself anew
            os.kill(peer.child.popen.pid, number)
            try:
                # The next worker is a new process; the old one may live on with its connections.
                poll_until(lambda: set(peer.child.tree()) - before, timeout, f"{peer.name} starting the next worker")
                return signal.Signals(number).name
            except BenchError:
                if timeout == 10:
                    raise
    return reload


def _reload_berth(peer):
    status = Path(f"/proc/{peer.child.popen.pid}/status").read_text()
    taken = 0
    for line in status.splitlines():
        if line.startswith(("SigCgt:", "SigBlk:")):
            taken |= int(line.split()[1], 16)
    if not taken >> (signal.SIGHUP - 1) & 1:
        return None  # SIGHUP would end it
    os.kill(peer.child.popen.pid, signal.SIGHUP)
    return "SIGHUP"


def _reload_envoy(peer):
    peer.values["GENERATION"] += 1
    render("envoy-listeners.yaml.in", peer.values, peer.values["DIR"] / "listeners.yaml")
    return "listeners swapped"


def _reload_caddy(peer):
    ran = subprocess.run([peer.child.argv[0], "reload", "--force", "--adapter", "caddyfile", "--address", peer.values["ADMIN"],
                          "--config", peer.values["DIR"] / "Caddyfile"], capture_output=True, text=True, timeout=30)
    if ran.returncode:
        raise BenchError(f"caddy reload: {ran.stderr}")
    return "caddy reload"


RELOADS = {"berth": _reload_berth, "nginx": _by_signal(signal.SIGHUP), "haproxy": _by_signal(signal.SIGUSR2),
           "nghttpx": _by_signal(signal.SIGHUP), "envoy": _reload_envoy, "caddy": _reload_caddy}


def version(name, executable):
    """The version line of a program."""
    flag = {"berth": "version", "nghttpx": "--version", "envoy": "--version", "caddy": "version"}.get(name, "-v")
    ran = subprocess.run([executable, flag], capture_output=True, text=True, timeout=10)
    line = (ran.stdout + ran.stderr).strip().split("\n")[0]
    if name == "envoy":
        return re.sub(r".*version: [0-9a-f]{40}/", "Envoy ", line)
    if name == "caddy":
        return "Caddy " + line.partition(" ")[0]
    return line.partition(" - ")[0]
