"""An event store for `Last-Event-ID`, one history per session.

The SDK hands one store to all its sessions and names streams by request id, which is unique within a session only, so a
store that looks at stream ids alone replays one session's events to another. Which session a call belongs to is not among
its arguments: this middleware carries it in a context variable, which the session's own task inherits from the request
that opened it.
"""

import contextvars
import itertools

from mcp.server.streamable_http import EventMessage, EventStore

_SESSION_HEADER = b"mcp-session-id"


class _History:
    """What one session sent, in order: (stream, message or None for a priming event)."""

    def __init__(self, serial: int):
        self.serial = serial
        self.events: list[tuple[str, object]] = []


class SessionEvents(EventStore):
    def __init__(self):
        self._serials = itertools.count(1)
        self._current: contextvars.ContextVar[_History] = contextvars.ContextVar("history")
        self._by_session: dict[bytes, _History] = {}
        self._by_serial: dict[int, _History] = {}

    def watching(self, app):
        """`app`, with every request's session known to the store."""

        async def watched(scope, receive, send):
            if scope["type"] != "http":
                return await app(scope, receive, send)
            named = dict(scope["headers"]).get(_SESSION_HEADER)
            history = self._by_session.get(named) or _History(next(self._serials))
            self._by_serial[history.serial] = history
            self._current.set(history)

            async def learning(message):
                if message["type"] == "http.response.start" and named is None:
                    given = dict(message["headers"]).get(_SESSION_HEADER)
                    if given is not None:
                        self._by_session[given] = history
                await send(message)

            return await app(scope, receive, learning)

        return watched

    async def store_event(self, stream_id, message):
        history = self._current.get()
        history.events.append((stream_id, message))
        return f"{history.serial}.{len(history.events)}"

    async def replay_events_after(self, last_event_id, send_callback):
        serial, _, position = last_event_id.partition(".")
        history = self._by_serial.get(int(serial))
        if history is None or not 0 < int(position) <= len(history.events):
            return None
        stream = history.events[int(position) - 1][0]
        for index in range(int(position), len(history.events)):
            owner, message = history.events[index]
            if owner == stream and message is not None:
                await send_callback(EventMessage(message, f"{serial}.{index + 1}"))
        return stream
