"""The language of DSMT: names, channels, events, orders, the life cycle. Values only.

Rule of this room: nothing here touches a clock, a socket, a file, a log or an event loop.
"""
