"""What is refused of a SWORD query, each time with the line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from planner.plans import check_plan
from planner.plans.sword.query import Choices, Constraint, Group, Pair, PairKind, Range
from planner.plans.sword.reading import BYTES, HINT, read_query
from tests.unit.planner.toy import plan

INF = float("inf")

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


def line(number: int, what: str) -> str:
    return f"line {number} of the SWORD query: {what}"


def machines(text: str, what: str = "") -> str:
    return within(what).replace("<num_machines>1<", f"<num_machines>{text}<")


def named(name: str, what: str = "") -> str:
    return within(what).replace("<name>g<", f"<name>{name}<")


BAD = [
    ("file.xml", "the SWORD query is no XML", "dsmtc reads a file: query=@file.xml"),
    (
        "<request>",
        "the XML is not well formed: no element found: line 1, column 9",
        "xmllint --noout FILE shows the place; often an element is not closed",
    ),
    ("<query/>", line(1, "<query> is where <request> is to be"), HINT),
    ("<request/>", line(1, "there is no <group>"), HINT),
    ("<request>\n<gruop/></request>", line(2, "<gruop> is not known in <request>"), "did you mean group?"),
    ("<request><group/></request>", line(1, "<group> has no <name>"), HINT),
    ("<request><group><name>g</name></group></request>", line(1, "<group> has no <num_machines>"), HINT),
    (
        within("<load1>1,2</load1>"),
        line(5, "load1 has 2 numbers, not the five abs_min, ideal_min, ideal_max, abs_max, penalty"),
        HINT,
    ),
    (within("<load1>1,2,x,4,5</load1>"), line(5, "'x' is no number, and neither min nor max"), HINT),
    (within("<load1>1,2,nan,4,5</load1>"), line(5, "'nan' is no number, and neither min nor max"), HINT),
    (within("<load1>9,9,9,1,5</load1>"), line(5, "load1: abs_min is above abs_max (9 > 1)"), HINT),
    (within("<load1>0,3,2,4,5</load1>"), line(5, "load1: ideal_min is above ideal_max (3 > 2)"), HINT),
    (within("<load1>2,1,3,4,5</load1>"), line(5, "load1: abs_min is above ideal_min (2 > 1)"), HINT),
    (within("<load1>0,1,5,4,5</load1>"), line(5, "load1: ideal_max is above abs_max (5 > 4)"), HINT),
    (within("<load1>max,max,max,max,5</load1>"), line(5, "load1: no number is in this range"), HINT),
    (within("<load1>0,1,2,3,-5</load1>"), line(5, "load1: a penalty is a number of at least 0"), HINT),
    (within("<load1>0,1,2,3,max</load1>"), line(5, "load1: a penalty is a number of at least 0"), HINT),
    (
        within("<load1>0,1,2,3,1</load1>\n<load1>0,1,2,3,1</load1>"),
        line(6, "load1 is asked for twice in one group"),
        HINT,
    ),
    (within("<os><value>a, x</value></os>"), line(5, "'x' is no number, and neither min nor max"), HINT),
    (
        within("<os><value> , 1</value></os>"),
        line(5, "a value is written <value>text, penalty</value>"),
        HINT,
    ),
    (within("<os><value>a</value><value>a, 1</value></os>"), line(5, "a is there twice"), HINT),
    (within("<os><valeu>a</valeu></os>"), line(5, "<valeu> is not known in <os>"), "did you mean value?"),
    (within("<same/>"), line(5, "same takes the name of a fact or label, such as site"), HINT),
    (within("<fact><value>r7</value></fact>"), line(5, 'a fact is written <fact name="…">'), HINT),
    (within("<name>other</name>"), line(5, "<name> is there twice"), HINT),
    (between("<latency>0,0,1,1,1</latency>"), line(2, "<constraint> has no <group_names>"), HINT),
    (between("<group_names>near fra</group_names>"), line(3, "there is no group fra"), "did you mean far?"),
    (between("<group_names>near</group_names>"), line(3, "a constraint is between two groups"), HINT),
    (between("<group_names>near near</group_names>"), line(3, "a constraint is between two groups"), HINT),
    (
        between("<group_names>near far</group_names>"),
        line(2, "the constraint asks for none of latency, distance, same, different"),
        HINT,
    ),
    (
        between("<group_names>near far</group_names><load1>0,0,1,1,1</load1>"),
        line(3, "<load1> is not known in <constraint>"),
        "there are different, distance, group_names, latency, same",
    ),
    (
        within("").replace("<num_machines>1<", "<num_machines>0<"),
        line(4, "num_machines is '0', not a number from 1 to 100000, or all"),
        HINT,
    ),
    (
        within("").replace("<num_machines>1<", "<num_machines>1e9<"),
        line(4, "num_machines is '1e9', not a number from 1 to 100000, or all"),
        HINT,
    ),
    (
        within("<same>site</same>").replace("<num_machines>1<", "<num_machines>all<"),
        line(1, "num_machines can be all only in a single group without pairs"),
        HINT,
    ),
    (
        within("<same>site</same>").replace("<num_machines>1<", "<num_machines>1001<"),
        line(1, "1001 machines in groups or pairs; at most 1000 can be chosen together"),
        HINT,
    ),
    (
        within("").replace("<name>g<", "<name>a b<"),
        line(3, "the name of a group is one word of at most 128 characters"),
        HINT,
    ),
    (
        within("").replace("</group>", "</group><dist_query_budget>soon</dist_query_budget>"),
        line(6, "'soon' is no number, and neither min nor max"),
        HINT,
    ),
    (
        "<request>" + "<group><name>g</name><num_machines>1</num_machines></group>" * 2 + "</request>",
        line(1, "there are two groups g"),
        HINT,
    ),
    ("<request>" + "<group/>" * 17 + "</request>", line(1, "there are more than 16 groups"), HINT),
    (
        within("".join(f"<a{one}>0,0,1,1,1</a{one}>" for one in range(65))),
        line(2, "a group has more than 64 attributes"),
        HINT,
    ),
    (
        "<request><group>" + "<a>" * 10 + "</a>" * 10 + "</group></request>",
        "the XML is nested more than 5 deep",
        HINT,
    ),
    ("<request>" + "<group/>" * 5_000 + "</request>", "the XML has more than 4000 elements", HINT),
    ("<request>" + " " * BYTES + "</request>", "the SWORD query is 65555 bytes long", "at most 65536"),
    (
        '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]><request>&c;</request>',
        "the XML declares what is not taken: a document type, or entities",
        "leave out <!DOCTYPE …> and <!ENTITY …>",
    ),
    (
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><request/>',
        "the XML declares what is not taken: a document type, or entities",
        "leave out <!DOCTYPE …> and <!ENTITY …>",
    ),
    ("<request>\ud800</request>", "the XML is not UTF-8: invalid continuation byte at byte 9", HINT),
]


MORE_BAD = [
    (named("n" * 129), line(3, "the name of a group is one word of at most 128 characters"), HINT),
    (named(""), line(3, "the name of a group is one word of at most 128 characters"), HINT),
    (named("a,b"), line(3, "the name of a group is one word of at most 128 characters"), HINT),
    (
        machines("100001"),
        line(4, "num_machines is '100001', not a number from 1 to 100000, or all"),
        HINT,
    ),
    (
        machines("0000000001"),
        line(4, "num_machines is '0000000001', not a number from 1 to 100000, or all"),
        HINT,
    ),
    (machines("²"), line(4, "num_machines is '²', not a number from 1 to 100000, or all"), HINT),
    (
        machines("x" * 61),
        line(4, f"num_machines is '{'x' * 60}', not a number from 1 to 100000, or all"),
        HINT,
    ),
    (within("<load1>min,min,min,min,5</load1>"), line(5, "load1: no number is in this range"), HINT),
    (within("<load1>0,1,2,inf,5</load1>"), line(5, "'inf' is no number, and neither min nor max"), HINT),
    (within("<os><value>a, -1</value></os>"), line(5, "value: a penalty is a number of at least 0"), HINT),
    (
        within("<os><value>a<value>b</value></value></os>"),
        line(5, "a value is written <value>text, penalty</value>"),
        HINT,
    ),
    (
        within(f"<same>{'s' * 129}</same>"),
        line(5, "same takes the name of a fact or label, such as site"),
        HINT,
    ),
    (
        within("<different>site<x/></different>"),
        line(5, "different takes the name of a fact or label, such as site"),
        HINT,
    ),
    (within(f"<fact name='{'f' * 129}'/>"), line(5, 'a fact is written <fact name="…">'), HINT),
    (
        within("<same>site</same>" * 33 + "".join(f"<a{one}>0,0,1,1,1</a{one}>" for one in range(32))),
        line(2, "a group has more than 64 attributes"),
        HINT,
    ),
    (
        between("<group_names>near far</group_names>" + "<same>site</same>" * 65),
        line(2, "there are more than 64 constraints"),
        HINT,
    ),
    (
        within("").replace("</group>", "</group>" + "\n<optimizer_budget>1</optimizer_budget>" * 2),
        line(8, "<optimizer_budget> is there twice"),
        HINT,
    ),
]


@pytest.mark.parametrize(("text", "message", "hint"), BAD + MORE_BAD)
def test_what_is_wrong_is_refused_with_its_place(text: str, message: str, hint: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_plan(plan("p", "sword", query=text), {})
    assert (refused.value.message, refused.value.hint) == (f"plan p, sword: query: {message}", hint)


def test_an_empty_query_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        check_plan(plan("p", "sword", query=""), {})
    assert refused.value.message == "plan p, sword: query is empty"
    assert refused.value.hint == "it takes a SWORD query as XML, from a file: query=@file.xml"


# What is just within the bounds ------------------------------------------------------------------------


def test_as_much_as_is_allowed_is_read() -> None:
    assert read_query(named("n" * 128)).groups[0].name == "n" * 128
    assert read_query(machines(" 100000 ")).count == 100_000
    assert read_query(machines("000000007")).count == 7
    assert read_query(machines("1000", "<same>site</same>")).count == 1_000
    groups = "".join(
        f"<group><name>g{one}</name><num_machines>1</num_machines></group>" for one in range(16)
    )
    assert len(read_query(f"<request>{groups}</request>").groups) == 16
    pairs = "<same>site</same>" * 32 + "".join(f"<a{one}>0,0,1,1,1</a{one}>" for one in range(32))
    group = read_query(within(pairs)).groups[0]
    assert (len(group.pairs), len(group.attributes)) == (32, 32)
    many = between("<group_names>near far</group_names>" + "<same>site</same>" * 64)
    assert len(read_query(many).constraints) == 64
    assert read_query(within(f"<same>{'s' * 128}</same>")).facts == {"s" * 128}
    assert read_query(within(f'<fact name="{"f" * 128}">0,0,1,1,1</fact>')).facts == {"f" * 128}
    budgets = "</group><dist_query_budget> 30 </dist_query_budget><optimizer_budget>max</optimizer_budget>"
    assert read_query(within("").replace("</group>", budgets)) == read_query(within(""))
    longest = within("").replace("\n<group>", " " * (BYTES - len(within(""))) + "\n<group>")
    assert read_query(longest) == read_query(within(""))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<a>1,1,1,1,0</a>", Range(1.0, 1.0, 1.0, 1.0, 0.0)),
        ("<a> [ min min Max MAX 2.5 ] </a>", Range(-INF, -INF, INF, INF, 2.5)),
        ("<a>0 0, 1 2, 3</a>", Range(0.0, 0.0, 1.0, 2.0, 3.0)),
        ("<a><value>x</value><value> y , 2 </value></a>", Choices({"x": 0.0, "y": 2.0})),
        ("<a><value>x, y, 1</value><value>z,3</value></a>", Choices({"x, y": 1.0, "z": 3.0})),
    ],
)
def test_what_a_group_asks_of_a_fact(written: str, read: Range | Choices) -> None:
    assert read_query(within(written)).groups[0].attributes == {"a": read}


def test_how_many_machines_and_of_which_groups() -> None:
    assert read_query(machines("All")).count is None
    assert read_query(machines("all")).is_simple
    query = read_query(between("<group_names>far near</group_names><distance>0,0,1,2,3</distance>"))
    assert query.constraints == (Constraint((1, 0), Pair(PairKind.DISTANCE, Range(0, 0, 1, 2, 3))),)
    assert (query.count, query.is_simple, query.facts) == (2, False, frozenset())
    mixed = between("<group_names>near,far</group_names><same> rack </same>").replace(">1<", ">all<", 1)
    with pytest.raises(Invalid, match="num_machines can be all only in a single group without pairs"):
        read_query(mixed)
    assert str(Pair(PairKind.SAME, fact="site")) == "same site"
    assert str(Pair(PairKind.LATENCY, Range(-INF, 0, 1, 20, 0))) == "latency min to 20"
    assert str(Choices({"linux": 0.0, "bsd": 1.0})) == "linux or bsd"


def test_what_each_value_costs() -> None:
    wish = Range(0.0, 1.0, 2.0, 4.0, 10.0)
    values = [-0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 4.5]
    assert wish.costs(np.array(values)).tolist() == [INF, 10.0, 5.0, 0.0, 0.0, 10.0, 20.0, INF]
    assert np.isnan(wish.costs(np.array([np.nan])))[0]
    # However far away, a sum of penalties stays finite.
    assert Range(-INF, 0.0, 0.0, INF, 1e300).costs(np.array([1e300])).tolist() == [1e12]
    assert Range(-INF, -INF, INF, INF, 5.0).costs(np.array([1e300])).tolist() == [0.0]
    # No number is ideal, and none costs anything: that is no unknown.
    assert Range(-INF, -INF, -INF, INF, 0.0).costs(np.array([3.0])).tolist() == [0.0]
    assert Range(-INF, -INF, -INF, INF, 0.25).costs(np.array([3.0])).tolist() == [2.5e11]


@given(st.text(max_size=300))
def test_whatever_is_given_is_read_or_refused(text: str) -> None:
    for document in (text, PUBLISHED.replace("Linux", text), within(text)):
        try:
            read_query(document)
        except Invalid as error:
            assert error.message  # noqa: PT017 - either outcome is right, a third is not
