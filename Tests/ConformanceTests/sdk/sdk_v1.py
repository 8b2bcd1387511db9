"""Sessions of the official client, mcp 1.30, and the check of what `whoami` answers."""

import contextlib
import collections
import datetime

import anyio
import httpx
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

import report


#: A lock for requests larger than the window over HTTP/2. With several of them on one connection, httpcore lets one wait
#: for window that it already has (pydantic/httpx2#1133).
uploading = anyio.Lock()

#: The number of responses of all clients by HTTP version.
versions: collections.Counter[str] = collections.Counter()


def http(options) -> httpx.AsyncClient:
    """Timeouts like the SDK's own: 30 s for everything but reading an event stream."""

    async def count(response: httpx.Response) -> None:
        versions[response.http_version] += 1

    limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
    timeout = httpx.Timeout(30, read=300)
    return httpx.AsyncClient(
        verify=report.tls(options), timeout=timeout, limits=limits, trust_env=False, http2=options.http2,
        event_hooks={"response": [count]})


def expect_version(options, found: report.Report) -> None:
    """Checks that every response used the requested version, and that there was at least one."""
    found.results["versions"] = dict(versions)
    wanted = "HTTP/2" if options.http2 else "HTTP/1.1"
    found.expect(set(versions) == {wanted}, f"asked for {wanted}, got {dict(versions)}")


async def all_set(events) -> None:
    for event in events:
        await event.wait()


class TrackedSession:
    """An open session: its id as the client knows it, and the replica and the count of its answers."""

    def __init__(self, session: ClientSession, identity):
        self.session, self.identity = session, identity
        self.replica: str | None = None
        self.calls = 0

    async def whoami(self, token: str) -> str | None:
        """Calls once. None if the answer is right: this session's replica, the next number, the token sent."""
        answered = await self.session.call_tool("whoami", {"token": token})
        answer = answered.content[0].text
        if answered.isError:
            return f"error result: {answer}"
        replica, number, returned = answer.split(" ")
        self.replica = self.replica or replica
        self.calls += 1
        expected = f"{self.replica} {self.calls} {token}"
        if answer == expected:
            return None
        self.calls = int(number)
        return f"expected {expected!r}, got {answer!r}"


@contextlib.asynccontextmanager
async def streamable(options, client: httpx.AsyncClient | None = None, **callbacks):
    """An initialized Streamable HTTP session, on `client` (shared) or on an HTTP client of its own."""
    timeout = datetime.timedelta(seconds=options.call_timeout)
    async with contextlib.AsyncExitStack() as stack:
        own = client or await stack.enter_async_context(http(options))
        read, write, identity = await stack.enter_async_context(streamable_http_client(options.url, http_client=own))
        session = ClientSession(read, write, read_timeout_seconds=timeout, **callbacks)
        await stack.enter_async_context(session)
        await session.initialize()
        yield TrackedSession(session, identity)


@contextlib.asynccontextmanager
async def legacy(options, **callbacks):
    """An initialized HTTP+SSE session."""

    def factory(headers=None, timeout=None, auth=None):
        return httpx.AsyncClient(
            verify=report.tls(options), headers=headers, timeout=timeout, auth=auth, trust_env=False)

    timeout = datetime.timedelta(seconds=options.call_timeout)
    async with sse_client(options.url, httpx_client_factory=factory) as (read, write):
        async with ClientSession(read, write, read_timeout_seconds=timeout, **callbacks) as session:
            await session.initialize()
            yield TrackedSession(session, lambda: None)
