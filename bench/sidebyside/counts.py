"""What a call costs Berth in instructions, allocations and system calls: figures that do not depend on other processes."""

import re
import shutil
import subprocess

from . import generators, peers, syscalls
from .calls import client_context
from .processes import BenchError
from .steady import SteadyCallers

CASES = ("plain", "tls", "h2")
ALLOCATORS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"}
_FUNCTION = re.compile(r"c?fn=\((\d+)\)(?: (.*))?")


def available():
    return shutil.which("valgrind") is not None and shutil.which("strip") is not None


def measure(executable, machine, replicas, calls, progress, tolerate):
    """{case: {"instructions", "allocations", "frees", "syscalls"} of a call in user space}.

    Berth runs twice under callgrind, answers `calls` calls on one connection and then twice as many; the difference is what
    calls cost, without starting, connecting and ending. One connection, so that no turn of the loop is shared: how many
    calls share one is a matter of luck, and the figures are to be the same everywhere.
    """
    counted = {}
    # Valgrind 3.19 gives up on the debugging information that Swift writes; names of functions are enough.
    bare = machine.directory / "berth-bare"
    subprocess.run(["strip", "--strip-debug", "-o", bare, executable], check=True)
    for case in CASES:
        if case == "h2" and not shutil.which("h2load"):
            continue
        with tolerate(f"counts {case}"):
            less, more = (_profile(bare, machine, replicas, case, number) for number in (calls, 2 * calls))
            counted[case] = _worker(less, more, calls)
            if syscalls.available() and case != "h2":
                peer = peers.start("berth", executable, machine, replicas)
                try:
                    counted[case]["syscalls"] = syscalls.per_request(peer, case == "tls", 1, calls, machine.directory)["total"]
                finally:
                    peer.child.stop()
            progress(f"counts {case}: " + ", ".join(f"{value:.2f} {name}" for name, value in counted[case].items()))
    return counted


def _profile(executable, machine, replicas, case, calls):
    """Totals of each thread of one run of Berth under callgrind that answers so many calls."""
    output = machine.directory / f"callgrind-{case}-{calls}.out"
    peer = peers.start("berth", executable, machine, replicas,
                       wrapper=["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={output}"], timeout=60)
    try:
        _call(peer, case, calls, machine)
    finally:
        peer.child.stop(60)  # it writes the profile when it ends
    threads = {file.name.rpartition("-")[2]: _totals(file) for file in output.parent.glob(output.name + "-*")}
    if not threads:
        raise BenchError(f"callgrind wrote nothing: {peer.child.log.read_text()[-500:]}")
    return threads


def _worker(less, more, calls):
    """What a call costs the one worker, the thread that calls cost most. Others work by time, as for alerts and metrics."""
    costs = [{name: (more[thread][name] - less[thread][name]) / calls for name in more[thread]}
             for thread in more.keys() & less.keys()]
    return max(costs, key=lambda cost: cost["instructions"])


def _call(peer, case, calls, machine):
    if case == "h2":
        body = generators.body_file(machine.directory)
        made = generators.run_h2load(peer.https, body, 1, 1, requests=calls)
        if made["units"] != calls:
            raise BenchError(f"{made['units']} of {calls} calls were answered")
        return
    callers = SteadyCallers(peer.port(case == "tls"), 1, client_context() if case == "tls" else None)
    try:
        callers.run(calls, seconds=300)
    finally:
        callers.close()


def _totals(output):
    names, called, calls = {}, None, {}
    instructions = 0
    for line in output.read_text(errors="replace").splitlines():
        if line.startswith(("fn=", "cfn=")):
            number, name = _FUNCTION.match(line).groups()
            if name:
                names[number] = name.partition("'")[0]
            called = names[number]
        elif line.startswith("calls="):
            calls[called] = calls.get(called, 0) + int(line[6:].split()[0])
        elif line.startswith("totals:"):
            instructions = int(line.split()[1])
    if not instructions:
        raise BenchError(f"{output} has no totals")
    return {"instructions": instructions, "allocations": sum(calls.get(name, 0) for name in ALLOCATORS),
            "frees": calls.get("free", 0)}
