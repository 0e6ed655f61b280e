import asyncio

from broker.application import application


async def main() -> None:
    async with application() as me, me.view("/com/example/demo/") as view:
        async for now in view.changes():
            print({instance: event.text for instance, event in now.by_instance("load").items()}, flush=True)


asyncio.run(main())
