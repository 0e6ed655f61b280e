import asyncio
import os

import broker
from broker.application import Application

COMMANDS = "/org/dsmt/ns/deployment/my_slice/org.dsmt.component.deployment-agent/command/"


async def main() -> None:
    async with broker.connected(os.environ["DSMT_OPERATOR_BROKER"]) as bus:
        me = Application(bus, "my_slice_mgr")
        await me.post(COMMANDS, "status", "RESTART,node1.tokyo.example,pinger")


asyncio.run(main())
