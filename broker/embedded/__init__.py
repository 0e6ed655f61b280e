"""The port inside one process, over kombu's memory transport: no server, nothing kept after the end.

`engine` is the one thread, `world` what happens in it (and the only importer of kombu), `reader` and
`bus` the asyncio side.
"""
