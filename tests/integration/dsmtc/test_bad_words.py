"""Every verb with nothing, with empty, huge and hostile words: an answer or one plain line, no trace."""

from __future__ import annotations

import json

import pytest

from dsmtc.grammar import PATH
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake, a_slice
from tests.integration.dsmtc.test_hostile_text import HOSTILE, OBEYED

# What becomes another program, or waits for ever.
NOT_TRIED = {"dev", "swarm", "wait"}
WORDS = {
    "nothing": [],
    "an empty word": [""],
    "a huge word": ["x" * 100_000],
    "a hostile word": [HOSTILE.replace("\x00", "")],
    "a path": ["../../etc/passwd"],
}


@pytest.mark.parametrize("what", WORDS)
def test_bad_words_are_answered_in_words(dsmtc: Dsmtc, fake: Fake, what: str) -> None:
    fake.slices["s"] = a_slice("s")
    for verb in json.loads(PATH.read_text()):
        if verb in NOT_TRIED:
            continue
        ended = dsmtc(*verb.split(), *WORDS[what], DSMT_SLICE="s", DSMT_NEW_PASSWORD="a long secret")
        assert ended.code in {0, 1, 2, 3, 4, 5, 6, 7, 8, 255}, (verb, ended)
        for stream in (ended.out, ended.err):
            assert "this should not happen" not in stream, (verb, stream[:2000])
            assert not OBEYED.search(stream), (verb, stream[:2000])
            assert len(max(stream.splitlines(), key=len, default="")) < 400_000
