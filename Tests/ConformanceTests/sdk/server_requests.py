"""Requests from the server to the client during a call: sampling and elicitation.

The call's stream stays open on one connection while the answer goes out as a POST of its own on another, and must enter
the process that waits for it. Every session asks several at once, so answers of one session cross each other too.
"""

import collections

import anyio
from mcp import types

import report
import sdk_v1


async def sample(_context, params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
    question = params.messages[0].content.text
    content = types.TextContent(type="text", text=f"re:{question}")
    return types.CreateMessageResult(role="assistant", content=content, model="none")


async def elicit(_context, params: types.ElicitRequestParams) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"name": f"re:{params.message}"})


async def main(options, found) -> None:
    connect = sdk_v1.legacy if options.legacy else sdk_v1.streamable
    found.results.update(sessions=options.sessions, asked=options.sessions * options.asks * 2, right=0)
    spread: collections.Counter[str] = collections.Counter()
    opened = [anyio.Event() for _ in range(options.sessions)]

    async def ask(tracked, tool: str, question: str, expected: str) -> None:
        try:
            answered = await tracked.session.call_tool(tool, {"question": question})
            answer = answered.content[0].text
            if found.expect(answer == expected, f"{tool}: expected {expected!r}, got {answer!r}"):
                found.results["right"] += 1
        except Exception as error:
            found.fault(f"{tool} {question}: {report.explain(error)}")

    async def hold(index: int) -> None:
        try:
            async with connect(options, sampling_callback=sample, elicitation_callback=elicit) as tracked:
                opened[index].set()
                await sdk_v1.all_set(opened)  # all sessions open before any asks: round robin spreads them
                found.expect(await tracked.whoami("first") is None, f"session {index}: whoami went wrong")
                spread[tracked.replica or "none"] += 1
                async with anyio.create_task_group() as tasks:
                    for number in range(options.asks):
                        question = f"{index}.{number}"
                        tasks.start_soon(ask, tracked, "ask", question, f"{tracked.replica} received re:{question}")
                        tasks.start_soon(ask, tracked, "elicit", question, f"{tracked.replica} received accept re:{question}")
        except Exception as error:
            found.fault(f"session {index}: {report.explain(error)}")
        finally:
            opened[index].set()

    async with anyio.create_task_group() as tasks:
        for index in range(options.sessions):
            tasks.start_soon(hold, index)
    found.results["spread"] = dict(spread)
    if not options.legacy:
        sdk_v1.expect_version(options, found)
    right, asked = found.results["right"], found.results["asked"]
    found.expect(right == asked, f"{right} of {asked} answers reached the tool that asked")
    found.expect(len(spread) >= options.replicas, f"{len(spread)} of {options.replicas} replicas were used")


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--legacy", action="store_true")
    arguments.add_argument("--sessions", type=int, default=9)
    arguments.add_argument("--asks", type=int, default=4)
    arguments.add_argument("--replicas", type=int, default=1)
    report.run(main, arguments.parse_args(), report.Report())
