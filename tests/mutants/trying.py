"""A plugin of pytest that tries mutants: ``pytest -p tests.mutants.trying --try-mutants FILE TEST…``.

The tests are imported once. Then a child is forked for each mutant, which switches it on, runs the tests
that reach the function, those first that noticed others there or are quick, and ends with the first
failure. The process that forks runs no test itself, so that nothing which tests leave behind (what a
cache holds, the threads of a library) is inherited.

The file is a JSON object, ``{"workers": …, "mutants": {name: function}}``; beside it, with the suffix
``.tried``, comes a line for each mutant: its name and its `Ending`.
"""

from __future__ import annotations

import gc
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from hypothesis import Phase, settings
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

from tests.mutants.child import Child, OutOfTime, first_ready

# A mutant may take this many times the processor time of the tests that reach it, and some seconds more.
_PATIENCE: Final = 3.0
_GRACE: Final = 2.0
# Tests that take longer (processor seconds) are not asked: what only they notice counts as a survivor.
_SHORT: Final = 1.0
# Processor seconds for all the tests of a room without any mutant.
_ALL: Final = 600.0

# The same few examples for each mutant, and no search for the smallest one that fails.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=30,
    phases=(Phase.explicit, Phase.generate),
)


class Ending(StrEnum):
    """What became of a mutant. A time-out is noticed, too."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which mutants to try."""
    parser.addoption("--try-mutants", type=Path, help="the file that tells which mutants to try")


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try all mutants instead of running the tests."""
    if session.testsfailed:
        raise session.Interrupted("not all tests could be imported")
    file: Path = session.config.getoption("--try-mutants")
    told = json.loads(file.read_text())
    with file.with_suffix(".tried").open("w") as tried:
        for name, ending in _Trial(session, told["mutants"]).endings(told["workers"]):
            tried.write(json.dumps([name, ending]) + "\n")
            tried.flush()
    return True


class _Trial:
    """The mutants of a room, and what is known of the tests that reach them."""

    def __init__(self, session: pytest.Session, mutants: Mapping[str, str]) -> None:
        self._session = session
        self._mutants = mutants
        self._seconds: list[float] = []
        self._reached: dict[str, list[int]] = {}
        # How many mutants of a function a test has noticed.
        self._noticed: Counter[tuple[str, int]] = Counter()

    def endings(self, workers: int) -> Iterator[tuple[str, Ending]]:
        """Try the mutants, some at a time; yields what became of each."""
        self._learn()
        gc.freeze()  # what was imported is shared with the children, not copied by their collectors
        living: dict[Child, str] = {}
        for name, function in self._mutants.items():
            if len(living) == workers:
                yield self._ending(living)
            tests = self._reached.get(function, [])
            if not tests:
                yield name, Ending.SURVIVED
                continue
            tests.sort(key=partial(self._rank, function))
            seconds = _PATIENCE * sum(self._seconds[test] for test in tests) + _GRACE
            living[Child(partial(self._first_failure, name, tests), seconds)] = name
        while living:
            yield self._ending(living)

    def _rank(self, function: str, test: int) -> tuple[int, float]:
        return -self._noticed[function, test], self._seconds[test]

    def _ending(self, living: dict[Child, str]) -> tuple[str, Ending]:
        child = first_ready(living)
        name = living.pop(child)
        try:
            noticed = child.answer()
        except OutOfTime:
            return name, Ending.TIMEOUT
        if noticed == "by none":
            return name, Ending.SURVIVED
        if noticed is not None:
            self._noticed[self._mutants[name], noticed] += 1
        return name, Ending.KILLED

    def _learn(self) -> None:
        """Which tests reach which functions, and what each costs; in a child, as all that runs tests."""
        learned = Child(self._costs, _ALL).answer()
        if not isinstance(learned, list):
            raise pytest.UsageError(f"without any mutant this failed: {learned}")
        for test, (seconds, functions) in enumerate(learned):
            self._seconds.append(seconds)
            for function in functions if seconds < _SHORT else ():
                self._reached.setdefault(function, []).append(test)

    def _costs(self) -> list[tuple[float, list[str]]] | str:
        set_mutant_under_test("stats")
        costs = []
        for test, item in enumerate(self._session.items):
            state()._stats.clear()
            began = time.process_time()
            if self._fails(item, self._session.items[test + 1 : test + 2]):
                return item.nodeid
            costs.append((time.process_time() - began, sorted(state()._stats)))
        return costs

    def _first_failure(self, mutant: str, tests: Sequence[int]) -> int | str:
        set_mutant_under_test(mutant)
        items = [self._session.items[test] for test in tests]
        for place, item in enumerate(items):
            if self._fails(item, items[place + 1 : place + 2]):
                return tests[place]
        return "by none"

    def _fails(self, item: pytest.Item, following: Sequence[pytest.Item]) -> bool:
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following[0] if following else None)
        return bool(self._session.testsfailed)
