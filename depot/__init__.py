"""The depot: the repository of application packages, and ``rpmgen``, which makes them.

Rule of this room: what a file is, is read from its content and never from its name; what cannot be
read to its end, or says something else about itself than its bytes do, is refused.
"""
