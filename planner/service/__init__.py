"""The acting half of the planner: it listens, asks the deciding modules, stores, and sends.

`planner.service.planner.Planner` wires it; each other file is one part of it. All of it runs in one event
loop; what blocks is in threads. `seen` is changed only between two awaits, by one task at a time.
"""
