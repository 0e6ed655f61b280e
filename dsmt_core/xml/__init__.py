"""Events as PsEPR XML. Loaded only when somebody speaks it: who speaks msgpack does not pay for it."""
