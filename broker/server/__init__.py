"""A private RabbitMQ: started for a demo, a development world or a test run, and ended with its owner.

Never used by the planner, and never touching another broker. `keeper` sees to it that nothing outlives
the owner, `kept` is its handle, `private` the broker, `management` its HTTP interface.
"""
