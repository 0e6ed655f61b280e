import asyncio

from broker.application import application


async def main() -> None:
    async with application() as me:
        await me.publish("/com/example/demo/", "load", pairs={"cpu": "0.7"}, emit_rate=10)


asyncio.run(main())
