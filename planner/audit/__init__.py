"""What goes into the audit log: the words for acts, the act that goes on, and how much refusing is told.

Who does something has an `Act`; the first write to the database that it makes carries its entry, in the
same transaction. So there is no change without an entry, and no entry of a change that did not come about.
"""
