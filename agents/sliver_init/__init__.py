"""The sliver's tiny init: the first process of a sliver, which starts, reaps and signals all others.

Rule of this room: the standard library only, and as little of it as will do (no asyncio, subprocess,
pathlib, typing, dataclasses): a hundred of these live on a node, and their memory counts a hundred times.
"""
