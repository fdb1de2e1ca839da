"""Opens each URL with Python's websockets and prints what happened, as JSON: python3 client.py KIND=URL..."""

import asyncio
import json
import sys

import websockets


async def attempt(kind, url):
    try:
        protocols = ["a", "b"] if kind == "two-subprotocols" else None
        async with asyncio.timeout(5):
            async with websockets.connect(url, subprotocols=protocols) as socket:
                if kind != "glued":
                    await socket.send("x")
                await socket.recv()
                return "opens"
    except TimeoutError:
        return "waits"
    except Exception:
        return "fails"


async def main():
    pairs = (target.split("=", 1) for target in sys.argv[1:])
    print(json.dumps({kind: await attempt(kind, url) for kind, url in pairs}))


asyncio.run(main())
