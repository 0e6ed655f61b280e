"""Facts from a file, and a SWORD query that chooses by them, on a real planner and RabbitMQ."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from dsmt_core.commands import Verb
from tests.integration.planner.conftest import Api, Site, joined

QUERY = """<request><group><name>g</name><num_machines>1</num_machines>
<inv.rack><value>r7</value><value>r8, 5</value></inv.rack></group></request>"""


async def known(api: Api) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            shown: dict[str, Any] = await api("GET", "/facts")
            if all(one["state"] != "waiting" for one in shown["sources"]):
                return shown
            await asyncio.sleep(0.1)


async def test_a_node_is_chosen_by_what_a_file_says_and_a_broken_source_is_shown(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "inv.json").write_text(json.dumps({"n1.example.org": {"rack": "r8"}}))
    (tmp_path / "power.csv").write_text("watts\n7\n")
    options = ("--facts", f"file:{tmp_path / 'inv.json'}", "--facts", f"file:{tmp_path / 'power.csv'}")
    await asyncio.to_thread(site.start, *options)
    api = Api(site.url)
    try:
        await api.log_in()
        async with joined(api) as node:
            sources = {one["source"]: one for one in (await known(api))["sources"]}
            assert (sources["inv"]["state"], sources["inv"]["hosts"]) == ("well", 1)
            assert sources["power"]["state"] == "unknown"
            assert "no column host" in sources["power"]["trouble"]
            assert (await api("GET", "/nodes/n1.example.org"))["facts"]["inv.rack"] == "r8"
            body = {"slice": "s1", "plan": "sword", "plan_parameters": {"query": QUERY}}
            await api("POST", "/slices", body)
            order = await node.ordered(Verb.CREATE, "s1")
            assert order.host == node.host
            found = await api("POST", "/slices/s1/plans/eval", body_of_eval(QUERY))
            assert found["hosts"][0]["reason"] == "kept for group g, penalty 5"
            missing = await api("POST", "/slices/s1/plans/eval", body_of_eval(QUERY.replace(">1<", ">2<")))
            assert missing["notes"] == ["group g has 1 of 2: 1 node fits its attributes"]
            refused = await refusal(api, "where", {"expr": "load1 < 1 and inv.rakc = 'r8'"})
            assert "did you mean inv.rack?" in refused["hint"]
            assert refused["place"].splitlines()[1].index("^") == len("load1 < 1 and ")
    finally:
        await api.client.aclose()


def body_of_eval(query: str) -> dict[str, Any]:
    return {"plan": "sword", "parameters": {"query": query}}


async def refusal(api: Api, plan: str, parameters: dict[str, str]) -> dict[str, Any]:
    answer: httpx.Response = await api.client.post(
        "/v1/slices/s1/plans/eval", json={"plan": plan, "parameters": parameters}
    )
    assert answer.status_code == 404
    said: dict[str, Any] = answer.json()
    return said
