"""`dsmt-event`: PsEPR for shell scripts; one program, so that a script needs no Python of its own."""
