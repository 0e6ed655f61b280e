"""Who is who, and who may do what.

`rights` decides and is one table; `passwords` and `tokens` handle secrets; `gate` puts them together with
the store and is what the API asks.
"""
