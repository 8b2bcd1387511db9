"""A replica without an SDK, for bodies the SDKs refuse (they cap requests at 4 MiB): plain Starlette, both framings.

POST /mcp digests what it receives. GET /mcp?n=&seed=&framing= sends `n` bytes that the client can make itself.
"""

import hashlib
import random

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

import serving

CHUNK = 256 * 1024
options = serving.arguments(__doc__)


async def digest(request: Request) -> JSONResponse:
    seen, total = hashlib.sha256(), 0
    async for part in request.stream():
        seen.update(part)
        total += len(part)
    framing = "chunked" if "transfer-encoding" in request.headers else "length"
    return JSONResponse({"replica": options.name, "bytes": total, "sha256": seen.hexdigest(), "framing": framing})


async def send(request: Request) -> StreamingResponse:
    total = int(request.query_params["n"])
    block = random.Random(int(request.query_params["seed"])).randbytes(CHUNK)

    async def body():
        left = total
        while left > 0:
            yield block[:left] if left < CHUNK else block
            left -= CHUNK

    headers = {"content-length": str(total)} if request.query_params["framing"] == "length" else {}
    return StreamingResponse(body(), media_type="application/octet-stream", headers=headers)


app = Starlette(routes=[Route("/mcp", digest, methods=["POST"]), Route("/mcp", send, methods=["GET"])])
serving.serve(app, options)
