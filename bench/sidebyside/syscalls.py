"""System calls of a request, counted by strace over a known number of calls."""

import shutil
import signal
import subprocess
from pathlib import Path

from . import calls, generators
from .processes import BenchError, poll_until
from .steady import SteadyCallers


def available():
    return shutil.which("strace") is not None


def per_request(peer, tls, connections, each, directory):
    """{system call: how many a request} of `peer` while `connections` make `each` calls, and their sum as "total"."""
    callers = SteadyCallers(peer.port(tls), connections, calls.client_context() if tls else None)
    try:
        callers.run(3)  # connections to the replicas, tickets and buffers exist from here on
        counts = _counted(peer.child.tree(), directory / "strace.out", lambda: callers.run(each))
    finally:
        callers.close()
    requests = connections * each
    return {"total": sum(counts.values()) / requests} | {
        name: count / requests for name, count in sorted(counts.items(), key=lambda item: -item[1])}


def per_http2_request(peer, workload, requests, directory):
    """The same over HTTP/2. Two runs that differ by `requests` calls are compared, so that connecting is not counted."""
    body, first = generators.body_file(directory), 4 * workload.connections * workload.streams

    def load(number):
        made = generators.run_h2load(peer.https, body, workload.connections, workload.streams, requests=number)
        if made["units"] != number:
            raise BenchError(f"{made['requests']} of {number} calls were answered")

    load(first)  # connections to the replicas and buffers exist from here on
    less, more = (_counted(peer.child.tree(), directory / "strace.out", lambda: load(number))
                  for number in (first, first + requests))
    counts = {name: max(0, more[name] - less.get(name, 0)) for name in more}
    return {"total": sum(counts.values()) / requests} | {
        name: count / requests for name, count in sorted(counts.items(), key=lambda item: -item[1])}


def _counted(pids, output, work):
    """What the processes call while `work` runs."""
    argv = ["strace", "-f", "-c", "-U", "name,calls", "-o", str(output)]
    for pid in pids:
        argv += ["-p", str(pid)]
    tracer = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        def attached():
            if tracer.poll() is not None:
                raise BenchError(f"strace ended: {tracer.stderr.read().decode()}")
            return all(_traced(pid) for pid in pids)
        poll_until(attached, 10, "strace attaching")
        work()
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)  # it detaches and writes its table
        try:
            tracer.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.communicate()
    counts = {}
    for line in output.read_text().splitlines():
        words = line.split()
        if len(words) == 2 and words[1].isdigit() and words[0] != "total":
            counts[words[0]] = int(words[1])
    if not counts:
        raise BenchError("strace counted nothing")
    return counts


def _traced(pid):
    """Whether every thread of `pid` has a tracer."""
    return all("TracerPid:\t0\n" not in status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status"))
