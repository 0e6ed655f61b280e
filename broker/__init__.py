"""PsEPR: the event service, and the only room that knows pika and kombu.

`bus` is the port with its promises, `rabbit` and `embedded` keep them, `topology` says which exchanges
and queues there are, `server` runs a private RabbitMQ.
"""
