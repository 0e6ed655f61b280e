"""What is refused of a SWORD query, each time with the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from planner.plans import check_plan
from planner.plans.sword.query import Choices, Group, Pair, PairKind, Range
from planner.plans.sword.reading import BYTES, read_query
from tests.unit.planner.toy import plan

PUBLISHED = """<?xml version="1.0" encoding="utf-8"?>
<request>
  <dist_query_budget>30</dist_query_budget>
  <optimizer_budget>100</optimizer_budget>
  <group>
    <name>Group1</name>
    <num_machines>10</num_machines>
    <oneminload>0.0,0.0,0.0,2.0,0.01</oneminload>
    <disk_free>0.1, 0.2, max, max, 0.005</disk_free>
    <latency>0.0 0.0 20.0 30.0 0.5</latency>
    <os_name><value>Linux, 0.0</value></os_name>
    <fact name="example.org/rack"><value>r7</value></fact>
  </group>
  <group><name>Group2</name><num_machines>2</num_machines><same>site</same></group>
  <constraint>
    <group_names>Group1 Group2</group_names>
    <latency>0.0,10.0,90.0,100.0,0.5</latency>
    <different>site</different>
  </constraint>
</request>
"""


def test_the_published_form_is_read() -> None:
    query = read_query(PUBLISHED)
    assert query.groups[1] == Group("Group2", 2, {}, (Pair(PairKind.SAME, fact="site"),))
    first = query.groups[0]
    assert (first.name, first.count) == ("Group1", 10)
    assert first.attributes["disk_free"] == Range(0.1, 0.2, float("inf"), float("inf"), 0.005)
    assert first.attributes["os_name"] == Choices({"Linux": 0.0})
    assert first.pairs[0].range == Range(0, 0, 20, 30, 0.5)
    assert [one.pair.kind for one in query.constraints] == [PairKind.LATENCY, PairKind.DIFFERENT]
    assert query.facts == {"oneminload", "disk_free", "os_name", "example.org/rack", "site"}


def within(what: str) -> str:
    return (
        f"<request>\n<group>\n<name>g</name>\n<num_machines>1</num_machines>\n{what}\n</group>\n</request>"
    )


def between(what: str) -> str:
    groups = "".join(
        f"<group><name>{name}</name><num_machines>1</num_machines></group>" for name in ("near", "far")
    )
    return f"<request>{groups}\n<constraint>\n{what}\n</constraint></request>"


BAD = [
    ("", ["query is empty"]),
    ("file.xml", ["is no XML", "query=@file.xml"]),
    ("<request>", ["not well formed", "line 1"]),
    ("<query/>", ["line 1", "<query> is where <request> is to be"]),
    ("<request/>", ["there is no <group>"]),
    ("<request>\n<gruop/></request>", ["line 2", "<gruop> is not known", "did you mean group?"]),
    ("<request><group/></request>", ["line 1", "has no <name>"]),
    ("<request><group><name>g</name></group></request>", ["has no <num_machines>"]),
    (within("<load1>1,2</load1>"), ["line 5", "load1 has 2 numbers, not the five", "abs_min"]),
    (within("<load1>1,2,x,4,5</load1>"), ["line 5", "'x' is no number"]),
    (within("<load1>1,2,nan,4,5</load1>"), ["line 5", "'nan' is no number"]),
    (within("<load1>9,9,9,1,5</load1>"), ["line 5", "abs_min is above abs_max (9 > 1)"]),
    (within("<load1>0,3,2,4,5</load1>"), ["ideal_min is above ideal_max (3 > 2)"]),
    (within("<load1>2,1,3,4,5</load1>"), ["abs_min is above ideal_min (2 > 1)"]),
    (within("<load1>0,1,5,4,5</load1>"), ["ideal_max is above abs_max (5 > 4)"]),
    (within("<load1>max,max,max,max,5</load1>"), ["no number is in this range"]),
    (within("<load1>0,1,2,3,-5</load1>"), ["a penalty is a number of at least 0"]),
    (within("<load1>0,1,2,3,max</load1>"), ["a penalty is a number of at least 0"]),
    (within("<load1>0,1,2,3,1</load1>\n<load1>0,1,2,3,1</load1>"), ["line 6", "load1 is asked for twice"]),
    (within("<os><value>a, x</value></os>"), ["'x' is no number"]),
    (within("<os><value> , 1</value></os>"), ["<value>text, penalty</value>"]),
    (within("<os><value>a</value><value>a, 1</value></os>"), ["a is there twice"]),
    (within("<os><valeu>a</valeu></os>"), ["<valeu> is not known in <os>", "did you mean value?"]),
    (within("<same/>"), ["same takes the name of a fact or label"]),
    (within("<fact><value>r7</value></fact>"), ['a fact is written <fact name="…">']),
    (within("<name>other</name>"), ["line 5", "<name> is there twice"]),
    (between("<latency>0,0,1,1,1</latency>"), ["has no <group_names>"]),
    (between("<group_names>near fra</group_names>"), ["line 3", "no group fra", "did you mean far?"]),
    (between("<group_names>near</group_names>"), ["between two groups"]),
    (between("<group_names>near near</group_names>"), ["between two groups"]),
    (
        between("<group_names>near far</group_names>"),
        ["asks for none of latency, distance, same, different"],
    ),
    (between("<group_names>near far</group_names><load1>0,0,1,1,1</load1>"), ["<load1> is not known"]),
    (within("").replace("<num_machines>1<", "<num_machines>0<"), ["line 4", "num_machines is '0'"]),
    (within("").replace("<num_machines>1<", "<num_machines>1e9<"), ["num_machines is '1e9'"]),
    (
        within("<same>site</same>").replace("<num_machines>1<", "<num_machines>all<"),
        ["all only in a single"],
    ),
    (
        within("<same>site</same>").replace("<num_machines>1<", "<num_machines>1001<"),
        ["at most 1000 can be chosen together"],
    ),
    (within("").replace("<name>g<", "<name>a b<"), ["line 3", "one word"]),
    (
        within("").replace("</group>", "</group><dist_query_budget>soon</dist_query_budget>"),
        ["'soon' is no number"],
    ),
    (
        "<request>" + "<group><name>g</name><num_machines>1</num_machines></group>" * 2 + "</request>",
        ["two"],
    ),
    ("<request>" + "<group/>" * 17 + "</request>", ["more than 16 groups"]),
    (within("".join(f"<a{one}>0,0,1,1,1</a{one}>" for one in range(65))), ["more than 64 attributes"]),
    ("<request><group>" + "<a>" * 10 + "</a>" * 10 + "</group></request>", ["nested more than"]),
    ("<request>" + "<group/>" * 5_000 + "</request>", ["more than 4000 elements"]),
    ("<request>" + " " * BYTES + "</request>", ["bytes long", str(BYTES)]),
    (
        '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]><request>&c;</request>',
        ["declares what is not taken: a document type, or entities"],
    ),
    (
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><request/>',
        ["declares what is not taken: a document type, or entities"],
    ),
    ("<request>\ud800</request>", ["UTF-8"]),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_what_is_wrong_is_refused_with_its_place(text: str, words: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        check_plan(plan("p", "sword", query=text), {})
    told = f"{refused.value.message} {refused.value.hint}"
    assert all(word in told for word in words), told
    assert told.startswith("plan p, sword: query")
    assert len(told) < 400
    assert refused.value.hint, told


@given(st.text(max_size=300))
def test_whatever_is_given_is_read_or_refused(text: str) -> None:
    for document in (text, PUBLISHED.replace("Linux", text), within(text)):
        try:
            read_query(document)
        except Invalid as error:
            assert error.message  # noqa: PT017 - either outcome is right, a third is not
