"""What every client shares: its arguments, its deadline, and the one line of JSON it ends with.

Exit status 0 means that every answer was right; 1 that some were not, and `wrong` says which; 3 that the deadline passed
with the event loop stuck. No module of an SDK is imported here, so clients of both environments can use it.
"""

import argparse
import json
import os
import ssl
import sys
import threading

import anyio


def parser(description: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--url", required=True)
    made.add_argument("--ca", help="PEM file to trust instead of the system's")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--deadline", type=float, default=60, help="seconds for the whole run")
    made.add_argument("--http2", action="store_true", help="offer HTTP/2, and take nothing else for right")
    made.add_argument("--call-timeout", type=float, default=15, help="seconds for one call")
    return made


def tls(options: argparse.Namespace) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=options.ca) if options.ca else True


class Report:
    """Results to print, and the errors, the first twenty as text."""

    def __init__(self, **results):
        self.results = results
        self.wrong: list[str] = []

    def fault(self, text: str) -> None:
        self.wrong.append(text)

    def expect(self, holds: bool, text: str) -> bool:
        if not holds:
            self.fault(text)
        return holds

    def line(self) -> str:
        return json.dumps({**self.results, "wrongCount": len(self.wrong), "wrong": self.wrong[:20]})


def explain(error: BaseException) -> str:
    """The leaves of an exception group, which is what task groups wrap every failure in."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(explain(leaf) for leaf in error.exceptions)
    return f"{type(error).__name__}: {error}"


def run(main, options: argparse.Namespace, report: Report) -> None:
    """Runs `main(options, report)` within the deadline, prints the line, and exits."""

    def stuck():
        report.fault(f"stuck after {options.deadline} s")
        print(report.line(), flush=True)
        os._exit(3)

    watchdog = threading.Timer(options.deadline + 5, stuck)
    watchdog.daemon = True
    watchdog.start()

    async def bounded():
        with anyio.move_on_after(options.deadline) as scope:
            try:
                await main(options, report)
            except Exception as error:
                report.fault(explain(error))
        if scope.cancelled_caught:
            report.fault(f"not done after {options.deadline} s")

    anyio.run(bounded)
    print(report.line(), flush=True)
    sys.stderr.flush()
    os._exit(1 if report.wrong else 0)
