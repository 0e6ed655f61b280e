"""The documents, played: what a page shows as typed is typed, in a world with real processes.

Rule of this room: a block of code is executed unless a comment above it in the page's source says why not.
mkdocs does not show comments. What they may say:

``not run: REASON``    it cannot be executed here: it needs another machine, systemd, a name that is in DNS
``file: NAME``         it is a file, which the lines after it find by this name
``output``             it is what the block before prints
``output: of what stays``   it is what the last of those that stay prints
``stays``              each of its lines runs until the page ends: it follows or watches something
``inside``             it is typed in the sliver of an instance of the slice, as the application
``dry``                it is only rehearsed: each line gets the option ``--dry-run``
``exits: N``           so its last line ends, and not with 0

``world: pinger N``    of the page: pinger runs on the first N nodes before it begins, by the plan only3
``here: A = B``        of the page: B is written for A, such as ``/etc/dsmt = $WORK/etc``
``prepare: LINES``     lines of the shell that the reader does not need, as their world is another

In a block with lines that begin with ``$ ``, those are typed and the others are what is printed; otherwise
all is typed. What is printed is compared by its words: numbers, times and hosts differ from one run to
the next; ``…`` stands for anything.
"""
