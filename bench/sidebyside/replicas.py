"""The replicas behind the proxies, on the core of the load."""

import sys
import urllib.request
from pathlib import Path

from . import bulk
from .calls import reply_body
from .peers import render, user_directive
from .processes import Child, free_port, poll_until

RUN = Path(__file__).resolve().parent.parent / "run"


def start_call_replicas(machine, executable, count=3):
    """Starts one nginx that listens as `count` replicas; returns it and their ports."""
    ports = []
    while len(ports) < count:  # the kernel may give a port twice
        ports = list(dict.fromkeys([*ports, free_port()]))
    machine.replica = ports[0]
    machine.bulk = bulk.make_file(machine.directory / "bulk")
    values = {
        "DIR": machine.directory, "FILES": machine.files, "USER": user_directive(), "REPLY": reply_body(), "BULK": machine.bulk,
        "LISTEN": "\n        ".join(f"listen 127.0.0.1:{port} backlog=4096;" for port in ports),
    }
    config = render("replica.conf.in", values, machine.directory / "replica.conf")
    child = Child("the replica", [executable, "-p", machine.directory, "-e", machine.directory / "replica.log",
                                  "-c", config], machine.load_cpu, machine.directory / "replica-output.log")
    try:
        for port in ports:
            child.wait_for_port(port)
    except BaseException:
        child.stop()
        raise
    return child, ports


def calls_taken(machine):
    """How many requests the replica of calls has taken since its start."""
    with urllib.request.urlopen(f"http://127.0.0.1:{machine.replica}/taken", timeout=10) as response:
        return int(response.read().split()[9])


def start_own(machine, what, *arguments):
    """Starts a server of this program, which prints its port first; returns it and the port."""
    number = len(list(machine.directory.glob(f"{what}-*.log")))
    child = Child(f"the {what} replica", [sys.executable, RUN, "--serve", what, *arguments], machine.load_cpu,
                  machine.directory / f"{what}-{number}.log")

    def port():
        child.require_alive()
        text = child.log.read_text()
        return int(text) if text.endswith("\n") else None
    try:
        return child, poll_until(port, 30, f"the port of the {what} replica")
    except BaseException:
        child.stop()
        raise
