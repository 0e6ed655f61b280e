"""The tests; `tests.world` and `tests.coverage_floors` are also programs."""
