"""``dsmtc whoami``: account, role, slices, and what else the account holds."""

from __future__ import annotations

import typer

from dsmtc.client.answers import WhoAmI
from dsmtc.dispatch import session_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def whoami(context: typer.Context) -> None:
    """Show your account, your role, the slices that you may use, and your roles at sites.

    Example: dsmtc whoami
    """
    session = session_of(context)
    answer = session.client.whoami()
    session.out.answer(answer, lambda: _lines(answer))


def _lines(answer: WhoAmI) -> list[str]:
    slices = ", ".join(answer["slices"]) or "none"
    lines = [f"{answer['account']} [{answer['role']}] slices: {slices}"]
    if token := answer.get("token"):
        lines.append(f"by the token {token} of a program")
    if answer.get("site_roles") or not answer.get("everywhere", True):
        everywhere = ", ".join(answer.get("roles", [])) or "no role"
        lines.append(f"everywhere: {everywhere}; of the site {answer.get('site', '')}")
    lines += [
        f"at {site}: {', '.join(held)}" for site, held in sorted(answer.get("site_roles", {}).items())
    ]
    return lines
