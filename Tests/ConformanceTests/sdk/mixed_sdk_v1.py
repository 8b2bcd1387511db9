"""Calls of the official client, mcp 1.30, of tools that answer and of some that fail."""

import report
import sdk_v1


async def main(options, found) -> None:
    found.results.update(right=0)
    for _ in range(options.sessions):
        async with sdk_v1.streamable(options) as tracked:
            await tracked.session.list_tools()
            for number in range(options.calls // options.sessions):
                fails = number % 5 == 0
                tool, arguments = ("made-up", {}) if fails else ("whoami", {"token": str(number)})
                answered = await tracked.session.call_tool(tool, arguments)
                found.results["right"] += answered.isError == fails


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--calls", type=int, default=100)
    arguments.add_argument("--sessions", type=int, default=6)
    report.run(main, arguments.parse_args(), report.Report())
