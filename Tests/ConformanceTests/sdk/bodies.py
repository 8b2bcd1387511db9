"""Bodies in both directions, by length and chunked, compared by digest; and a reader that stops reading.

    --slow BYTES    only that: a response of so many bytes, read with three long stops. At each stop a line `stalled` goes
                    to stdout and the reader waits for a line on stdin, so that the proxy can be weighed meanwhile.
"""

import asyncio
import hashlib
import json
import random
import sys
import urllib.parse

import anyio

import report
import sdk_v1

CHUNK = 256 * 1024
MEBIBYTE = 1024 * 1024


def made(total: int, seed: int):
    """The bytes that the replica sends for `seed`, in pieces."""
    block = random.Random(seed).randbytes(CHUNK)
    for start in range(0, total, CHUNK):
        yield block[: min(CHUNK, total - start)]


def digest(total: int, seed: int) -> str:
    seen = hashlib.sha256()
    for piece in made(total, seed):
        seen.update(piece)
    return seen.hexdigest()


async def download(client, options, found, framing: str, total: int, seed: int) -> None:
    what = f"{total} bytes down, {framing}"
    seen, received = hashlib.sha256(), 0
    async with client.stream("GET", f"{options.url}?n={total}&seed={seed}&framing={framing}") as response:
        async for piece in response.aiter_raw():
            seen.update(piece)
            received += len(piece)
    found.expect(response.status_code == 200, f"{what}: status {response.status_code}")
    found.expect(received == total, f"{what}: received {received}")
    found.expect(seen.hexdigest() == digest(total, seed), f"{what}: the bytes differ")
    if framing == "length":
        length = response.headers.get("content-length")
        found.expect(length == str(total), f"{what}: Content-Length {length}")


async def upload(client, options, found, framing: str, total: int, seed: int) -> None:
    what = f"{total} bytes up, {framing}"

    if options.http2:
        async with sdk_v1.uploading:
            return await uploaded(client, options, found, framing, total, seed, what)
    await uploaded(client, options, found, framing, total, seed, what)


async def uploaded(client, options, found, framing: str, total: int, seed: int, what: str) -> None:
    async def pieces():
        for piece in made(total, seed):
            yield piece

    headers = {"Content-Type": "application/octet-stream"}
    if framing == "length":
        headers["Content-Length"] = str(total)
    response = await client.post(options.url, content=pieces(), headers=headers)
    if not found.expect(response.status_code == 200, f"{what}: status {response.status_code} {response.text[:200]}"):
        return
    answered = response.json()
    found.expect(answered["bytes"] == total, f"{what}: the replica received {answered['bytes']}")
    found.expect(answered["sha256"] == digest(total, seed), f"{what}: the bytes differ")


async def slowly(options, found, total: int) -> None:
    address = urllib.parse.urlsplit(options.url)
    secure = report.tls(options) if address.scheme == "https" else None
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=secure, limit=65536)
    path = f"{address.path}?n={total}&seed={options.seed}&framing=length"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    found.expect(head.startswith(b"HTTP/1.1 200"), f"slow: {head[:80]!r}")
    seen, received, stops = hashlib.sha256(), 0, 0
    while received < total and (piece := await reader.read(65536)):
        seen.update(piece)
        received += len(piece)
        if stops < 3 and received > (stops + 1) * total // 4:
            stops += 1
            print(json.dumps({"stalled": received}), flush=True)
            await asyncio.to_thread(sys.stdin.readline)
    writer.close()
    found.results.update(bytes=received, stops=stops)
    found.expect(received == total, f"slow: received {received} of {total}")
    found.expect(seen.hexdigest() == digest(total, options.seed), "slow: the bytes differ")


async def main(options, found) -> None:
    if options.slow:
        return await slowly(options, found, options.slow)
    found.results["transfers"] = 0
    sizes = {"down": (1, CHUNK + 1, 20 * MEBIBYTE), "up": (1, CHUNK + 1, 20 * MEBIBYTE)}
    async with sdk_v1.http(options) as client, anyio.create_task_group() as tasks:
        for direction, transfer in (("down", download), ("up", upload)):
            for framing in ("length", "chunked"):
                for index, total in enumerate(sizes[direction]):
                    tasks.start_soon(transfer, client, options, found, framing, total, options.seed + index)
                    found.results["transfers"] += 1
    sdk_v1.expect_version(options, found)


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--slow", type=int, metavar="BYTES")
    report.run(main, arguments.parse_args(), report.Report())
