"""Mutation tests of what decides: small faults are put in, one at a time, and a test has to notice each."""
