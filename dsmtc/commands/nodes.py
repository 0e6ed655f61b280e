"""``dsmtc nodes``: the machines."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc.commandline import Misused, parameters
from dsmtc.commands import standing
from dsmtc.dispatch import session_of
from dsmtc.rendering.machines import node
from dsmtc.rendering.machines import nodes as view
from dsmtc.rendering.nodes import evidence, failed_nodes
from dsmtc.rendering.views import pairs

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_Where = Annotated[str, typer.Option(metavar="CONDITION", help="only those of which this is true")]
_Host = Annotated[str, typer.Argument(help="such as node1.example.org")]


@app.callback(invoke_without_command=True)
def nodes(
    context: typer.Context,
    *,
    where: _Where = "",
) -> None:
    """The machines; alone it lists them.

    Example: dsmtc nodes --where "disk_free_gb > 5"
    """
    if context.invoked_subcommand is None:
        list_nodes(context, where=where)


@app.command("list")
def list_nodes(
    context: typer.Context,
    *,
    where: _Where = "",
) -> None:
    """List all nodes as last heard.

    Example: dsmtc nodes list --where "country = 'JP' and load1 < 2"
    """
    session = session_of(context)
    found = session.client.nodes(where)
    session.out.answer(found, lambda: view(found, session.client.now(), where))


@app.command()
def show(context: typer.Context, host: _Host) -> None:
    """Show one node with its facts, and why it counts as failed if it does.

    Example: dsmtc nodes show node1.example.org
    """
    session = session_of(context)
    found = session.client.node(host)
    session.out.answer(found, lambda: node(found, session.client.now()))


@app.command()
def failed(context: typer.Context) -> None:
    """List the nodes that are not trusted: since when, why, and when they are tried again.

    Example: dsmtc nodes failed
    """
    session = session_of(context)
    found = session.client.failed_nodes()
    session.out.answer(found, lambda: failed_nodes(found, session.client.now()))


@app.command("evidence")
def told(context: typer.Context, host: _Host) -> None:
    """Show what was noticed of one node, when, and by whom.

    Example: dsmtc nodes evidence node1.example.org
    """
    session = session_of(context)
    found = session.client.node(host)
    session.out.answer(found["evidence"], lambda: evidence(found, session.client.now()))


@app.command()
def label(
    context: typer.Context,
    host: _Host,
    words: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="NAME= takes it away")],
) -> None:
    """Label a node, for plans to choose by (admin).

    Example: dsmtc nodes label node1.example.org country=JP rack=r7
    """
    session = session_of(context)
    answer = session.client.label(host, parameters(words))
    session.out.answer(answer, lambda: [f"node {host}: {pairs(answer['labels']) or 'no labels'}"])


@app.command()
def invite(
    context: typer.Context,
    *,
    expires: Annotated[float | None, typer.Option(help="seconds until it ends", min=1.0)] = None,
    site: Annotated[str, typer.Option(help="to which the node belongs; else the home site")] = "",
    uses: Annotated[str, typer.Option(metavar="N|unlimited", help="for how many nodes")] = "1",
    hosts: Annotated[str, typer.Option(metavar="PATTERN", help="only for names like *.example.org")] = "",
) -> None:
    """Make a token with which a node joins (admin; at a site also its admins and techs).

    Example: dsmtc nodes invite --expires 3600 --hosts "*.tokyo.example.org"
    """
    session = session_of(context)
    asked = _uses(uses)
    answer = session.client.invite(expires_in_s=expires, site=site, uses=asked, hosts=hosts)
    session.out.story(
        "start the node with DSMT_NODE_TOKEN=TOKEN dsmt-node --planner URL --host NAME --data DIR"
    )
    session.out.answer(answer, lambda: [answer["token"]])


@app.command()
def reinvite(
    context: typer.Context,
    host: _Host,
    *,
    expires: Annotated[float | None, typer.Option(help="seconds until it ends", min=1.0)] = None,
) -> None:
    """Make a token for the machine that is to be this node, where two have its key (admin).

    That machine joins with another key, also while the other one lives: which is out from then on.

    Example: dsmtc nodes reinvite node1.example.org
    """
    session = session_of(context)
    answer = session.client.invite(expires_in_s=expires, uses=1, replaces=host)
    session.out.story("on that machine: end dsmt-node, dsmt-node rekey --data DIR, then start it again")
    session.out.story("with DSMT_NODE_TOKEN=TOKEN; its applications go on")
    session.out.answer(answer, lambda: [answer["token"]])


def _uses(text: str) -> int | None:
    if text == "unlimited":
        return None
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text)):
        raise Misused(f"--uses {text!r} is no number of nodes", hint="such as 1, or unlimited")
    return int(text)


@app.command()
def forget(context: typer.Context, host: _Host) -> None:
    """Forget a node that will not come back (admin).

    Example: dsmtc nodes forget node1.example.org
    """
    session = session_of(context)
    session.client.forget(host)
    session.out.answer({"host": host, "forgotten": True}, lambda: [f"node {host} is forgotten"])


standing.add_to(app)
