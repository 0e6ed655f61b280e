// What stands around every page: where one is, whether what is shown is live, who one is.

import { html, nothing } from "./html.js";
import { PAGES, to } from "./router.js";
import { nextTheme } from "./theme.js";
import { moment } from "./words.js";

export function shell(context, place, open) {
  const { fleet, session } = context;
  const current = place?.page.name ?? "";
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="bar">
      <a class="brand" href=${to("fleet")}
        ><img src="icon.svg" alt="" width="20" height="20" /><span>DSMTViewer</span></a
      >
      <nav aria-label="Pages">
        ${PAGES.filter((page) => page.nav).map(
          (page) =>
            html`<a href=${to(page.name)} aria-current=${isHere(page.name, current) ? "page" : nothing}
              >${page.nav}</a
            >`,
        )}
      </nav>
      <span class="space"></span>
      ${live(context)}
      <span class="who" title="logged in as"
        >${fleet.you.account} <span class="role">${fleet.you.role}</span></span
      >
      <button class="icon" @click=${() => theme(context)} title="Light, dark, or as the system has it">
        <span aria-hidden="true">◐</span><span class="unseen">Change between light and dark</span>
      </button>
      <button class="plain" @click=${() => session.logOut()}>Log out</button>
    </header>
    ${isLost(context) ? lost(context) : nothing}
    ${fleet.trouble ? html`<p class="trouble" role="alert">The planner is degraded: ${fleet.trouble}</p>` : nothing}
    <main id="main" tabindex="-1">
      ${open && fleet.isLive ? open.view() : waiting(context)}
    </main>
    <p class="unseen" aria-live="polite">${[current, ...(place?.params ?? [])].join(" ")}</p>
    ${context.dialogs.view()}
  `;
}

const waiting = ({ link }) =>
  html`<p class="quiet wait">
    Waiting for the planner … ${link === "live" || link === "connecting" ? nothing : html`<br />${link}`}
  </p>`;

// What lasts for a moment only, the mark in the bar tells.
const isLost = ({ fleet, lostAt }) => fleet.isLive && lostAt > 0 && Date.now() - lostAt > 2_000;

const lost = ({ lostAt }) =>
  html`<p class="trouble" role="alert">
    No connection to the planner since ${moment(lostAt / 1000)}: what is shown was so then. It is tried again
    and again.
  </p>`;

function live({ link, fleet }) {
  const isLive = link === "live" || (link === "connecting" && !fleet.isLive);
  const said = link === "live" ? "live" : link === "connecting" ? "connecting" : `not live: ${link}`;
  return html`<span class="live ${link === "live" ? "on" : "off"}" role="status" title=${said}>
    <span aria-hidden="true" class="dot"></span
    >${isLive ? said : link === "connecting" ? "connecting" : "not live"}
  </span>`;
}

const isHere = (name, current) =>
  name === current ||
  (name === "slices" && ["slice", "rollout"].includes(current)) ||
  (name === "fleet" && current === "node");

function skip(event) {
  event.preventDefault();
  document.querySelector("#main").focus();
}

function theme(context) {
  nextTheme();
  context.changed();
}
