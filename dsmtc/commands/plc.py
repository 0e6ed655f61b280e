"""``dsmtc plc``: sites, people, nodes and slices, in the words of PlanetLab Central."""

from __future__ import annotations

from typing import Annotated

import typer

from dsmtc import quotas
from dsmtc.amounts import bytes_of
from dsmtc.commandline import Misused
from dsmtc.commands.create import tell_new, told_of
from dsmtc.dispatch import session_of
from dsmtc.parameters import named_as
from dsmtc.rendering import quotas as view
from dsmtc.rendering.authority import people as people_view
from dsmtc.rendering.authority import sites as sites_view
from dsmtc.rendering.views import slice_line

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_User = Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="such as you@example.com")]
_Site = Annotated[str, typer.Argument(metavar="[SITE]", help="such as princeton")]
_Host = Annotated[str, typer.Argument(metavar="[HOST]", help="such as node1.example.org")]
_At = Annotated[str, typer.Option("--site", help="at this site")]
_UserToo = Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="the same as an option")]
_SiteToo = Annotated[str, typer.Option("--site", metavar="SITE", help="the same as an option")]
_HostToo = Annotated[str, typer.Option("--node", metavar="HOST", help="the same as an option")]


@app.callback(invoke_without_command=True)
def plc(context: typer.Context) -> None:
    """Sites, people, nodes and slices; alone it lists the sites.

    Example: dsmtc plc sites
    """
    if context.invoked_subcommand is None:
        sites(context)


@app.command()
def create(
    context: typer.Context,
    *,
    description: Annotated[str, typer.Option(help="what it is for")] = "",
    url: Annotated[str, typer.Option(help="of a page about it")] = "",
    expires: Annotated[str, typer.Option(metavar="TIME", help="it is wanted so long, such as 90d")] = "",
) -> None:
    """Make a slice that is not managed; dsmtc manage begins that.

    Example: dsmtc plc create --slice SLICENAME --description "measures paths"
    """
    session = session_of(context)
    if not (name := session.common.slice):
        raise Misused("plc create needs --slice NAME")
    made = session.client.create(name, more={"managed": False, **told_of(description, url, expires)})
    session.out.answer(made, lambda: [f"made {slice_line(made)}"])


@app.command()
def adduser(
    context: typer.Context,
    account: _User = "",
    role: Annotated[list[str] | None, typer.Argument(metavar="[ROLE...]", help="at the site")] = None,
    *,
    site: _At = "",
    named: _UserToo = "",
) -> None:
    """Have an account be a member of the slice, or with --site have roles (user) there.

    Example: dsmtc plc adduser you@example.com --slice SLICENAME
    """
    session = session_of(context)
    if named and account:
        # With the account as an option, all words are roles.
        role, account = [account, *(role or ())], ""
    account = named_as(account, named, "an account", "--account ACCOUNT")
    if site:
        held = [one.lower() for one in role or ["user"]]
        found = session.client.set_site_roles(site, account, held)
        session.out.answer(found, lambda: [f"account {account}: {', '.join(held)} at {site}"])
        return
    name = session.slice
    answer = session.client.add_member(name, account)
    session.out.answer(answer, lambda: [f"members of {name}: {' '.join(answer['members'])}"])
    tell_new(session, answer.get("accounts_made", []))


@app.command()
def deluser(context: typer.Context, account: _User = "", *, site: _At = "", named: _UserToo = "") -> None:
    """Have an account be no member of the slice any more, or with --site have no role there.

    Example: dsmtc plc deluser you@example.com --slice SLICENAME
    """
    session = session_of(context)
    account = named_as(account, named, "an account", "--account ACCOUNT")
    if site:
        found = session.client.set_site_roles(site, account, [])
        session.out.answer(found, lambda: [f"account {account}: no role at {site}"])
        return
    name = session.slice
    answer = session.client.remove_member(name, account)
    session.out.answer(answer, lambda: [f"members of {name}: {' '.join(answer['members'])}"])


@app.command()
def addnode(context: typer.Context, host: _Host = "", *, site: _At, named: _HostToo = "") -> None:
    """Have a node belong to a site (admin); a new one is invited: dsmtc nodes invite --site SITE.

    Example: dsmtc plc addnode node1.example.org --site princeton
    """
    session = session_of(context)
    moved = session.client.move_node(named_as(host, named, "a node", "--node HOST"), site)
    session.out.answer(moved, lambda: [f"node {moved['host']} belongs to {moved['site']}"])


@app.command()
def delnode(context: typer.Context, host: _Host = "", *, named: _HostToo = "") -> None:
    """Forget a node that will not come back, as dsmtc nodes forget does (admin).

    Example: dsmtc plc delnode node1.example.org
    """
    session = session_of(context)
    host = named_as(host, named, "a node", "--node HOST")
    session.client.forget(host)
    session.out.answer({"host": host, "forgotten": True}, lambda: [f"node {host} is forgotten"])


@app.command()
def addsite(
    context: typer.Context,
    site: _Site = "",
    *,
    named: _SiteToo = "",
    description: Annotated[str, typer.Option(help="what it is")] = "",
) -> None:
    """Make a site (admin); its slices are those that begin with its name and an underscore.

    Example: dsmtc plc addsite princeton --description "Princeton University"
    """
    session = session_of(context)
    site = named_as(site, named, "a site", "--site SITE")
    made = session.client.add_site(site, description)
    session.out.answer(made, lambda: [f"site {made['site']} is made; its slices begin with {site}_"])


@app.command()
def quota(  # noqa: PLR0913 - one option a bound
    context: typer.Context,
    site: _Site = "",
    depot: Annotated[str, typer.Argument(metavar="[BYTES]", help="of each slice in the depot")] = "",
    *,
    named: _SiteToo = "",
    nodes: quotas.Nodes = None,
    slivers: quotas.Slivers = None,
    memory: quotas.Memory = "",
    depot_bytes: quotas.Depot = "",
    events_per_second: quotas.Events = None,
    clear: quotas.Clear = None,
    each: Annotated[bool, typer.Option("--each", help="of each slice, not of all together")] = False,
    dry_run: quotas.DryRun = False,
) -> None:
    """Show what all slices of a site may use together and use, or say it (admin).

    Example: dsmtc plc quota princeton --nodes 50 --memory 64G
    """
    session = session_of(context)
    client = session.client
    if named and site and not depot:
        site, depot = "", site
    site = named_as(site, named, "a site", "--site SITE")
    numbers = {"nodes": nodes, "slivers": slivers, "events_per_second": events_per_second}
    given = quotas.given(quotas.Said(numbers=numbers, memory=memory, depot=depot_bytes, clear=clear or ()))
    of_each = {**(given if each else {}), **({"depot_bytes": bytes_of(depot) or 0} if depot else {})}
    together = {} if each else given
    if dry_run:
        seen = client.preview_site_quota(site, each=of_each, together=together)
        session.out.answer(seen, lambda: view.preview(seen))
        return
    said = bool(of_each or together)
    found = (
        client.set_site_quota(site, each=of_each, together=together) if said else client.site_quota(site)
    )
    session.out.answer(found, lambda: view.of_site(found))


@app.command()
def delsite(context: typer.Context, site: _Site = "", *, named: _SiteToo = "") -> None:
    """Delete a site to which no slice and no node belongs (admin).

    Example: dsmtc plc delsite princeton
    """
    session = session_of(context)
    site = named_as(site, named, "a site", "--site SITE")
    session.client.remove_site(site)
    session.out.answer({"site": site, "deleted": True}, lambda: [f"site {site} is deleted"])


@app.command()
def sites(context: typer.Context) -> None:
    """List the sites.

    Example: dsmtc plc sites --json
    """
    session = session_of(context)
    found = session.client.sites()
    session.out.answer(found, lambda: sites_view(found))


@app.command()
def people(context: typer.Context, site: _Site = "", *, named: _SiteToo = "") -> None:
    """List who belongs to a site, with their roles there (pi or admin there, admin).

    Example: dsmtc plc people princeton
    """
    session = session_of(context)
    found = session.client.site(named_as(site, named, "a site", "--site SITE"))
    session.out.answer(found, lambda: people_view(found))
