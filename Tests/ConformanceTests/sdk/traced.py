"""Calls that belong to traces, made with the official client: by the message's `_meta`, by the HTTP field, by both, by none
that is recorded, and one that fails. Prints which trace and which parent each had.
"""

import secrets

import report
import sdk_v1


def span(sampled: bool = True) -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{'01' if sampled else '00'}"


async def main(options, found: report.Report) -> None:
    calls = {}

    async with sdk_v1.http(options) as client:
        async with sdk_v1.streamable(options, client) as tracked:

            async def call(what: str, tool: str, message: str | None, http: str | None) -> None:
                if http:
                    client.headers["traceparent"] = http
                else:
                    client.headers.pop("traceparent", None)
                meta = {"traceparent": message} if message else None
                answered = await tracked.session.call_tool(tool, {"token": what}, meta=meta)
                found.expect(answered.isError == (tool != "whoami"), f"{what}: {answered}")
                calls[what] = {"message": message or "", "http": http or ""}

            await call("message", "whoami", span(), None)
            await call("http", "whoami", None, span())
            await call("both", "whoami", span(), span())
            await call("unsampled", "whoami", span(sampled=False), None)
            await call("failed", "no-such-tool", span(), None)
            await call("none", "whoami", None, None)

    found.results["traces"] = calls


if __name__ == "__main__":
    report.run(main, report.parser(__doc__).parse_args(), report.Report())
