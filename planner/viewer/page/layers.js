// A layer of the life cycle as a small field: its state in a word and a colour, since when, and why.

import { html, nothing } from "./html.js";
import { kindOfApplication, kindOfLayer } from "./verdicts.js";
import { iso, lasting, moment } from "./words.js";

/**
 * @param now the planner's time.
 * @param kind its colour.
 * @param isLost the node is not heard: what is shown was so when it was heard last.
 */
export function layer({ state, since, reason }, now, isLost = false, kind = kindOfLayer(state)) {
  if (isLost) return html`<span class="kind unknown"><i aria-hidden="true"></i>was ${state}</span>`;
  return html`<span class="kind ${kind}"><i aria-hidden="true"></i>${state}</span>
    ${since ? html`<time class="quiet" datetime=${iso(since)} title="since ${moment(since)}">${lasting(since, now)}</time>` : nothing}
    ${reason ? html`<p class="why">${reason}</p>` : nothing}`;
}

export function application(one, now, isLost = false) {
  const other = one.wanted_version && one.version && one.version !== one.wanted_version;
  return html`<b>${one.name}</b>
    <span class="quiet"
      >${one.version || one.wanted_version}${other ? ` → ${one.wanted_version}` : ""}</span
    >
    ${layer(one, now, isLost, kindOfApplication(one))}
    ${one.wanted === "stopped" ? html`<span class="quiet">is to be stopped</span>` : nothing}
    ${one.text && !isLost ? html`<p class="says">${one.text}</p>` : nothing}`;
}
