"""The chain of the audit log: whatever is done to it is found; entries are bounded and keep no secrets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.audit import BEGINNING, CHANGE_BYTES, FINDINGS, Chain, Entry, Head, change_of
from dsmt_core.errors import Invalid

COUNT = 8
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=12,
)
# One drawn once and written often is as large as one that was drawn whole, and a hundredth of the work.
LARGE = st.builds(lambda one, times: [one] * times, JSON, st.integers(0, 300)) | st.builds(
    lambda name, times: {f"{name}{number}": name * times for number in range(times)},
    st.text(max_size=8),
    st.integers(0, 60),
)


def log(count: int = COUNT) -> list[Entry]:
    made: list[Entry] = []
    for number in range(1, count + 1):
        entry = Entry(
            number=number,
            at_ms=1_700_000_000_000 + number,
            account="me@example.com",
            role="admin",
            origin="192.0.2.1",
            act="slice.make",
            about=f"slice/s{number}",
            slice=f"s{number}",
            outcome="done",
            change=change_of({"slice": f"s{number}"}),
            before=made[-1].digest if made else BEGINNING.digest,
        )
        made.append(entry.sealed())
    return made


def looked(entries: list[Entry], *heads: Head, known: dict[int, str] | None = None) -> Chain:
    chain = Chain.after(BEGINNING, known)
    for entry in entries:
        chain.feed(entry)
    chain.end(*heads)
    return chain


def test_a_log_as_it_was_written_is_whole() -> None:
    whole = log()
    chain = looked(whole, whole[-1].head, known={3: whole[2].digest})
    assert (chain.findings, chain.count, chain.at) == ([], COUNT, whole[-1].head)


@given(at=st.integers(0, COUNT - 1), field=st.sampled_from(["account", "act", "change", "origin"]))
def test_a_changed_entry_is_found(at: int, field: str) -> None:
    whole = log()
    changed = replace(whole[at], **{field: getattr(whole[at], field) + " "})
    assert looked([*whole[:at], changed, *whole[at + 1 :]]).findings
    # With a digest of its own, too, unless it is the last one: then only by what others remember.
    found = looked([*whole[:at], changed.sealed(), *whole[at + 1 :]], known={COUNT: whole[-1].digest})
    assert found.findings


@given(first=st.integers(0, COUNT - 1), count=st.integers(1, COUNT))
def test_removed_entries_are_found(first: int, count: int) -> None:
    whole = log()
    left = whole[:first] + whole[first + count :]
    assert looked(left, whole[-1].head).findings


@given(order=st.permutations(range(COUNT)))
def test_moved_entries_are_found(order: list[int]) -> None:
    whole = log()
    assert bool(looked([whole[at] for at in order]).findings) == (order != sorted(order))


@given(at=st.integers(0, COUNT))
def test_an_entry_that_was_put_in_is_found(at: int) -> None:
    whole = log()
    before = whole[at - 1] if at else None
    put = replace(
        whole[0], number=at + 1, before=before.digest if before else BEGINNING.digest, about="slice/forged"
    ).sealed()
    chain = Chain()
    for entry in [*whole[:at], put, *whole[at:]]:
        chain.feed(entry)
    chain.end(last=whole[-1].head)
    assert chain.findings


def test_an_end_that_was_cut_off_is_found_only_by_who_remembers() -> None:
    whole = log()
    assert not looked(whole[:5]).findings
    for found in (looked(whole[:5], whole[-1].head), looked(whole[:5], known={7: whole[6].digest})):
        assert "the end was cut off" in found.findings[0]
    other = replace(whole[-1], account="else@example.com").sealed()
    assert looked([*whole[:-1], other], whole[-1].head).findings


def test_what_was_pruned_is_said_by_an_entry() -> None:
    whole = log(4)
    anchor = whole[1].head
    said = replace(
        whole[0],
        number=5,
        act="audit.prune",
        change=change_of({"through": str(anchor)}),
        before=whole[3].digest,
    ).sealed()
    for rest, findings in (([*whole[2:], said], 0), (whole[2:], 1)):
        chain = Chain.after(anchor)
        for entry in rest:
            chain.feed(entry)
        chain.end()
        assert len(chain.findings) == findings


def test_findings_are_bounded() -> None:
    wrong = [replace(entry, account="x") for entry in log(FINDINGS + 20)]
    chain = looked(wrong)
    assert len(chain.findings) == FINDINGS
    assert chain.wrong == FINDINGS + 20


@given(said=st.dictionaries(st.text(), JSON | LARGE, max_size=6))
def test_a_change_is_bounded_json_that_reads_back_the_same(said: dict[str, object]) -> None:
    text = change_of(said)
    assert len(text) <= CHANGE_BYTES
    entry = replace(log(1)[0], change=text).sealed()
    again = Entry.of(json.loads(json.dumps(entry.record())))
    assert again == entry
    assert again.right_digest() == entry.digest


@pytest.mark.parametrize("name", ["password", "old_password", "token", "claim", "db_PASSWORD"])
def test_secrets_are_left_out_wherever_they_are(name: str) -> None:
    kept = change_of({"values": {name: "what nobody may read"}, name: "what nobody may read"})
    assert "nobody" not in kept


@pytest.mark.parametrize(
    "record", [None, [], {}, {"number": True}, {"number": 1}, {**log(1)[0].record(), "digest": 1}]
)
def test_what_is_no_entry_is_refused(record: object) -> None:
    with pytest.raises(Invalid):
        Entry.of(record)


@pytest.mark.parametrize("text", ["", "1", "x:y", f"1:{'g' * 64}", f"-1:{'0' * 64}", f"²:{'0' * 64}"])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Head.of(text)
    assert Head.of(str(BEGINNING)) == BEGINNING
