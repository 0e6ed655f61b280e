"""The port over RabbitMQ, by pika's asyncio connection.

`bus` owns the connection and reconnects; beside it, each with channels of its own: `confirms` (the
publisher's), `hints` (without), `consumer` and `lease` (one channel each), `declaring`.
"""
