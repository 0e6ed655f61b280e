import asyncio
import os

import broker
from dsmt_core.channels import channel


async def main() -> None:
    async with broker.connected(os.environ["DSMT_OPERATOR_BROKER"]) as bus:
        async with bus.lease(channel("/org/dsmt/ns/deployment/my_slice/")) as deliveries:
            async for delivery in deliveries:
                print(delivery.event.channel, delivery.event.text, flush=True)


asyncio.run(main())
