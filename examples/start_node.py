import asyncio
import os
from pathlib import Path

from agents.container_manager.config import NodeConfig
from agents.container_manager.service import ContainerManager
from dsmt_core.names import host

URL, TOKEN = os.environ["DSMT_PLANNER"], os.environ["DSMT_NODE_TOKEN"]
config = NodeConfig(planner=URL, token=TOKEN, host=host("node9.example.org"), data=Path.cwd() / "node9")
asyncio.run(ContainerManager(config).run())
