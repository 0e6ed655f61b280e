"""Pages of the reference that are made from the code when the documents are built.

Rule of this room: a page says what the code says, and nothing is written twice; each is a function without
arguments that returns Markdown.
"""
