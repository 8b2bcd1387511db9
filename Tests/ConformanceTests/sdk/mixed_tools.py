"""What the servers of the mixed calls offer: the same on each SDK."""

import asyncio


def register(server, name: str) -> None:
    async def quick(key: str) -> str:
        return f"{name} {key}"

    async def steady(key: str) -> str:
        await asyncio.sleep(0.03)
        return f"{name} {key}"

    async def slow(key: str) -> str:
        await asyncio.sleep(0.14)
        return f"{name} {key}"

    async def fails(key: str) -> str:
        raise ValueError(f"{key} failed")

    async def sometimes(key: str, fail: bool) -> str:
        if fail:
            raise ValueError(f"{key} failed")
        return f"{name} {key}"

    async def stall(key: str) -> str:
        """Never answers in time."""
        await asyncio.sleep(600)
        return f"{name} {key}"

    async def whoami(token: str) -> str:
        return f"{name} 0 {token}"

    async def poem(key: str) -> str:
        return f"of {key}"

    async def note(key: str) -> str:
        return f"note {key}"

    for tool in (quick, steady, slow, fails, sometimes, stall, whoami):
        server.tool()(tool)
    server.prompt()(poem)
    server.resource("note://{key}")(note)
