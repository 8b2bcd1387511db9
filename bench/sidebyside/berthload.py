"""Runs berth-load: sessions whose every response is checked, and the servers for them."""

import json
import os
import re
import subprocess

from .processes import BenchError, Child, poll_until


def available(program):
    return os.access(program, os.X_OK)


def start_replicas(program, machine, count=3, *options):
    """Starts several servers in one process; returns it and their ports."""
    number = len(list(machine.directory.glob("serve-*.log")))
    child = Child(
        "berth-load serve",
        [program, "serve", "--replicas", count, *options],
        machine.load_cpu,
        machine.directory / f"serve-{number}.log",
    )

    def ports():
        child.require_alive()
        lines = [line for line in child.log.read_text().splitlines() if line.startswith("{")]
        return len(lines) == count and [int(json.loads(line)["address"].rpartition(":")[2]) for line in lines]

    try:
        return child, poll_until(ports, 10, "the ports of berth-load serve")
    except BaseException:
        child.stop()
        raise


def run(program, directory, url, seconds, *options):
    """Loads `url` and returns the results. Wrong answers and failures are results, not errors."""
    output = directory / "berth-load.json"
    output.unlink(missing_ok=True)
    knows_json = "--json" in subprocess.run([program, "run", "--help"], capture_output=True, text=True).stdout
    argv = [program, "run", "--url", url, "--seconds", seconds, *options, *(["--json", output] if knows_json else [])]
    ran = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, timeout=seconds + 120, stdin=subprocess.DEVNULL
    )
    if ran.returncode not in (0, 1):
        raise BenchError(f"berth-load ended with {ran.returncode}: {ran.stderr.strip()[-500:]}")
    if knows_json:
        return _figures(json.loads(output.read_text())["runs"][0])
    return _plain(ran.stdout)


def _figures(run):
    at = lambda wanted: next((p["microseconds"] for p in run["latency"]["percentiles"] if p["percentile"] >= wanted), None)
    return {
        "units": run["completed"],
        "microseconds": run["seconds"] * 1e6,
        "wrong": sum(run["wrong"].values()),
        "failed": sum(run["failed"].values()),
        "kinds": run["wrong"] | run["failed"],
        "examples": run["examples"][:5],
        "p50": at(50),
        "p99": at(99),
        "p999": at(99.9),
        "replicas": run["replicas"],
        "own": (run["userSeconds"] + run["systemSeconds"]) * 1e6 / max(1, run["completed"]),
    }


def _plain(said):
    """The results from the printed table, if the program writes no JSON."""
    done = re.search(r"(\d+) \w+ in ([\d.]+) s", said)
    own = re.search(r"own CPU: ([\d.]+)", said)
    spread = re.search(r"p50 ([\d.]+), p99 ([\d.]+)", said)
    if not (done and own and spread):
        raise BenchError(f"berth-load said: {said}")
    wrong = {kind: int(count) for kind, count in re.findall(r"WRONG (\w+): (\d+)", said)}
    failed = {kind: int(count) for kind, count in re.findall(r"failed, ([^\n]*): (\d+)", said)}
    return {
        "units": int(done[1]),
        "microseconds": float(done[2]) * 1e6,
        "wrong": sum(wrong.values()),
        "failed": sum(failed.values()),
        "kinds": wrong | failed,
        "examples": [],
        "p50": float(spread[1]),
        "p99": float(spread[2]),
        "p999": None,
        "replicas": dict(re.findall(r"replica (\S+): (\d+)", said)),
        "own": float(own[1]),
    }
