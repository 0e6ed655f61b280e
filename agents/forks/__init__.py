"""Starts deployment agents by forking: they share the memory of all that they import (docs/adr/0100).

A process of its own, `main`, that holds no credential, connection or key. `warming` lets it live through
what an agent lives through; `entering` brings a fork into a sliver.
"""
