"""What `cached`, `tokens` and `watching` share: cases of one Berth, in turns, under the same calls of berth-load.

All of Berth is on one core, so that its threads do not disturb each other more or less from round to round. Calls come at a fixed rate
(open loop): with calls as fast as they go Berth serves more of them in a turn the less it is disturbed, so that a figure would be one of
the machine's cores.
"""

import argparse
import json
import os
import statistics
import subprocess
from contextlib import contextmanager
from pathlib import Path

from .processes import Child, CPUTime, free_port

RELEASE = Path(__file__).resolve().parent.parent.parent / ".build/release"


def parser(text, rounds, seconds, rate, bound):
    """The options that all have, with these defaults."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--berth", type=Path, default=RELEASE / "berth", metavar="PATH")
    made.add_argument("--berth-load", type=Path, default=RELEASE / "berth-load", metavar="PATH")
    made.add_argument("--rounds", type=int, default=rounds)
    made.add_argument("--seconds", type=int, default=seconds, help="of each measurement")
    made.add_argument("--rate", type=int, default=rate, help="calls a second; 0: as fast as they go")
    made.add_argument("--bound", type=float, default=bound)
    return made


@contextmanager
def replica(options, directory):
    """A server of berth-load; gives its port."""
    server = free_port()
    words = [options.berth_load, "serve", "--replicas", "1", "--listen", f"127.0.0.1:{server}"]
    child = Child("replica", words, 1 % os.cpu_count(), directory / "replica.log")
    try:
        child.wait_for_port(server)
        yield server
    finally:
        child.stop()


@contextmanager
def running(options, configuration, port, directory):
    """A Berth with this configuration, which listens on `port`."""
    file = directory / "berth.toml"
    file.write_text(configuration)
    berth = Child("berth", [options.berth, "run", file], 0, directory / "berth.log")
    try:
        berth.wait_for_port(port)
        yield berth
    finally:
        berth.stop()


def microseconds(options, berth, url, directory, *words):
    """CPU of a call to `url` through `berth`, after a second of the same load. `words`: more options of berth-load."""
    report = directory / "load.json"
    rate = ["--rate", str(options.rate)] if options.rate else []

    def load(seconds):
        subprocess.run(
            [options.berth_load, "--url", url, "--workload", "calls", "--connections", "16", "--warm-up", "0", "--no-preflight",
             "--seconds", str(seconds), "--json", report, *rate, *words], check=True, capture_output=True)
    load(1)
    before = CPUTime(berth.tree())
    load(options.seconds)
    spent, _ = CPUTime(berth.tree()).since(before)
    return spent / json.loads(report.read_text())["runs"][0]["completed"] / 1e3


def in_turns(options, names, measure):
    """{name: [figure of each round]}; every round begins with another one."""
    found = {name: [] for name in names}
    for number in range(options.rounds):
        order = list(names)
        order = order[number % len(order):] + order[:number % len(order)]
        for name in order:
            found[name].append(measure(name))
        print(f"round {number + 1}: " + ", ".join(f"{name} {found[name][-1]:.2f}" for name in names), flush=True)
    return found


def show(found, base):
    """Prints a line of each case, with its ratio to the case `base(case)`; returns the medians of the ratios."""
    medians = {}
    for name, figures in found.items():
        ratios = [each / other for each, other in zip(figures, found[base(name)])]
        medians[name] = statistics.median(ratios)
        print(f"{name:8}{statistics.median(figures):7.2f} µs a call   {medians[name]:.3f} of {base(name)}"
              f"   ({min(ratios):.2f} to {max(ratios):.2f})")
    return medians
