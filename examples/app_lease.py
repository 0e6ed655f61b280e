import asyncio

from broker.application import application


async def main() -> None:
    async with application() as me, me.lease("/com/example/demo/") as deliveries:
        async for delivery in deliveries:
            print(delivery.event.instance, delivery.event.field, delivery.event.text, flush=True)


asyncio.run(main())
