"""What an agent that is a script needs: its orders, packages, and a voice, by way of `dsmt-event`.

The bootstrap starts the script and lays down who it is; everything that the planner expects of an agent
besides (its `running`, its holdings, old orders refused) is done by ``dsmt-event orders``.
"""
