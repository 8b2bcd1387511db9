"""Compares /metrics with the truth of the mixed calls: what servers recorded, and what clients recorded of calls that no
server answered. Every count must be equal, by upstream, method, name and error, and on the way to servers by server; the p95
of a tool must lie in the bucket of what the clients' clock says, or in one beside it.
"""

import bisect
import collections
import json
import math
import urllib.request

from prometheus_client import parser as plain

import report

OPERATION, LEG = "mcp_server_operation_duration_seconds", "mcp_client_operation_duration_seconds"
TOOLS = {"quick", "steady", "slow", "fails", "sometimes", "stall", "whoami"}
#: What a client sees that was cut off from a server, which may have answered.
CUT = {"cancelled", "aborted", "timeout", "server_reset", "server_down"}


def lines(path: str):
    with open(path) as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def named(method: str, name: str) -> tuple[str, str]:
    """The labels of a method and of what it names."""
    if method == "tools/call" and name:
        return method, name if name in TOOLS else "_OTHER"
    if method == "prompts/get" and name:
        return method, name if name == "poem" else "_OTHER"
    return ("_OTHER" if method in ("tools/nope", "") else method), ""


class Expected:
    def __init__(self, options, found):
        self.calls, self.legs, self.unknown = collections.Counter(), collections.Counter(), collections.Counter()
        self.clients = {line["key"]: line for line in lines(options.record)}
        self.found, self.seen = found, set()
        self.addresses = {}
        self.unanswered = collections.Counter()
        for name, address, path in (text.split("=") for text in options.server):
            self.addresses[name] = address
            self.server(address, lines(path))
        for key, line in self.clients.items():
            if key not in self.seen:
                self.call(line)
                if line["error"] in CUT:
                    self.cut(line)

    def cut(self, line: dict) -> None:
        """A call that went to a server which did not read it: the one of its session, or, without one, nobody knows which."""
        if line["server"] is not None:
            self.leg(self.addresses[line["server"]], line)
        else:
            self.unknown[line["upstream"], *named(line["method"], line["name"]), line["error"]] += 1

    def assign(self, seen: collections.Counter) -> None:
        """Lets what went to an unknown server have gone where the metrics have it, if they do."""
        for key, count in seen.items():
            what = (key[0], *key[2:])
            more = min(self.unknown[what], max(0, count - self.legs[key]))
            self.legs[key] += more
            self.unknown[what] -= more
        for what, count in self.unknown.items():
            self.found.expect(count == 0, f"legs of {what}: {count} to an unknown server are missing")

    def server(self, address: str, record: list[dict]) -> None:
        answers = {line["answered"]: line["error"] for line in record if "answered" in line}
        for asked in record:
            if "asked" not in asked:
                continue
            answer = answers.get(asked["asked"])
            client = self.clients.get(asked["key"])
            if answer == "unanswered":
                self.unanswered[asked["method"]] += 1
            error = self.agreed(asked, answer, client)
            line = {**asked, "error": error}
            if client is None or asked["key"] not in self.seen:
                self.call(line)
                self.seen.add(asked["key"])
            self.leg(address, line)

    def agreed(self, asked: dict, answer: str | None, client: dict | None) -> str:
        """What came of a call by its client, which must be what its server says, unless it was cut off from that."""
        if client is None:
            self.found.expect(answer is not None, f"nobody knows what came of {asked}")
            return answer or ""
        error = client["error"]
        if error == "unanswered":
            # The stream ended without an answer: the server's doing, or Berth's, which did not wait longer.
            return "" if answer == "unanswered" else "aborted"
        self.found.expect(
            answer == error or error in CUT, f"{asked} was answered with {answer!r}, its client saw {error!r}")
        return error

    def call(self, line: dict) -> None:
        self.calls[line["upstream"], *named(line["method"], line["name"]), line["error"]] += 1

    def leg(self, address: str, line: dict) -> None:
        self.legs[line["upstream"], address, *named(line["method"], line["name"]), line["error"]] += 1


def labels(sample) -> tuple[str, str, str]:
    name = sample.labels.get("gen_ai_tool_name") or sample.labels.get("gen_ai_prompt_name", "")
    return sample.labels["mcp_method_name"], name, sample.labels.get("error_type", "")


def counted(families: dict, family: str, *first: str) -> collections.Counter:
    counts = collections.Counter()
    for sample in families[family].samples:
        if sample.name.endswith("_count"):
            counts[*(sample.labels[label] for label in first), *labels(sample)] += int(sample.value)
    return counts


def compare(what: str, expected: collections.Counter, seen: collections.Counter, found) -> None:
    for key in sorted(set(expected) | set(seen)):
        found.expect(expected[key] == seen[key], f"{what} {key}: {seen[key]} counted, {expected[key]} in truth")


def percentiles(families: dict, clients, found) -> dict:
    """By tool, the buckets' bounds that the p95 of the metrics and of the clients' clock fall under."""
    times = collections.defaultdict(list)
    for line in clients:
        if line["method"] == "tools/call" and line["name"] in TOOLS - {"stall", "whoami"} and "ms" in line:
            times[line["name"]].append(line["ms"] / 1000)
    buckets = collections.defaultdict(collections.Counter)
    for sample in families[OPERATION].samples:
        if sample.name.endswith("_bucket"):
            buckets[sample.labels.get("gen_ai_tool_name")][float(sample.labels["le"])] += sample.value
    told = {}
    for tool, seconds in sorted(times.items()):
        seconds.sort()
        truth = seconds[math.ceil(0.95 * len(seconds)) - 1]
        bounds = sorted(buckets[tool])
        total = buckets[tool][math.inf]
        index = next(index for index, bound in enumerate(bounds) if buckets[tool][bound] >= 0.95 * total)
        own = bisect.bisect_left(bounds, truth)
        told[tool] = f"{truth * 1000:.1f} ms, bucket to {bounds[index] * 1000:g} ms"
        found.expect(abs(index - own) <= 1, f"p95 of {tool}: {told[tool]}")
    return told


async def main(options, found) -> None:
    with urllib.request.urlopen(f"{options.admin}/metrics", timeout=10) as response:
        text = response.read().decode()
    families = {family.name: family for family in plain.text_string_to_metric_families(text)}
    expected = Expected(options, found)
    calls, legs = counted(families, OPERATION, "upstream"), counted(families, LEG, "upstream", "server_address")
    compare("calls", expected.calls, calls, found)
    expected.assign(legs)
    compare("legs", expected.legs, legs, found)
    found.results["p95"] = percentiles(families, expected.clients.values(), found)
    errors = collections.Counter()
    for (*_, error), count in expected.calls.items():
        errors[error or "success"] += count
    found.results["outcomes"] = dict(errors)
    found.results["right"] = sum(calls.values())
    found.results["calls"] = sum(count for (_, method, *_), count in calls.items() if method == "tools/call")
    found.results["legs"] = sum(legs.values())
    found.results["series"] = len(calls)
    found.results["unansweredStreams"] = dict(expected.unanswered)


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--admin", required=True)
    arguments.add_argument("--record", required=True)
    arguments.add_argument("--server", action="append", default=[], help="NAME=ADDRESS=FILE")
    report.run(main, arguments.parse_args(), report.Report())
