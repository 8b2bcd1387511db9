"""What came of a request, in the words of the metrics' `error_type`, read off an answer as a client or a server sees it."""

import json


def messages(content_type: str, body: bytes):
    """The JSON-RPC messages of a body, of either content type."""
    if content_type.startswith("text/event-stream"):
        for event in body.replace(b"\r\n", b"\n").split(b"\n\n"):
            data = b"\n".join(line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:"))
            if data.strip():
                yield json.loads(data)
    else:
        try:
            yield json.loads(body)
        except ValueError:
            pass


def error_type(status: int, content_type: str, body: bytes, is_request: bool = True) -> str:
    """Empty: nothing went wrong."""
    is_stream = content_type.startswith("text/event-stream")
    for message in messages(content_type, body):
        if not isinstance(message, dict) or "method" in message:
            continue
        if "result" in message:
            return "tool_error" if (message["result"] or {}).get("isError") is True else ""
        if "error" in message:
            reason = of_berth(message["error"])
            if reason is None and not is_request:
                break  # Berth does not read what is said to a notification: its status counts.
            if reason is None:
                return str(message["error"]["code"] or "_OTHER")
            if is_stream:
                return "aborted"
            return "timeout" if reason == "first_byte_timeout" else reason
    if status >= 400:
        return str(status)
    return "unanswered" if is_stream and is_request else ""


def of_berth(error: dict) -> str | None:
    """The reason, if the error is Berth's own."""
    data = error.get("data")
    return data.get("reason") if isinstance(data, dict) else None
