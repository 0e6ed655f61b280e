"""The deployment agent: installs, starts, watches and ends the applications of one sliver.

`decide` says what comes next and touches nothing; `service` and the files beside it do it.
"""
