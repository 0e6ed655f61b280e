// What is wrong, the worst first; what is wrong in many places is said once.

import { html, nothing, repeat } from "./html.js";
import { to } from "./router.js";
import { groups, KINDS } from "./verdicts.js";
import { ago, count } from "./words.js";

const LISTED = 100;
const GROUPS = 6;
// Fewer nodes than that are told one by one.
const APART = 8;

/** A problem in a line, as told of a node. */
export function sentence({ slice, layer, says }) {
  if (slice) return `${slice} · ${layer}: ${says}`;
  return layer === "node" ? `node ${says}` : `${layer}: ${says}`;
}

/**
 * @param fleet the fleet.
 * @param of {nodes, chosen, counts, slice, pick}: the nodes that are looked at; those that were chosen on
 *   the map, or null; how many of each kind; the slice that is looked at; called with hosts to choose.
 */
export function wrongPanel(fleet, { nodes, chosen, counts, slice, pick }) {
  const wrong = chosen ?? nodes.filter((node) => node.judged.problems.length);
  return html`
    <section class="panel wrong" aria-label="What is wrong">
      ${heading(chosen, counts, pick)} ${chosen ? nothing : heldBack(fleet, slice)}
      ${!wrong.length && !chosen ? calm(fleet, slice) : nothing}
      ${chosen || wrong.length <= APART ? nothing : grouped(groups(wrong), pick)}
      <ul class="problems">
        ${repeat(
          wrong.slice(0, LISTED),
          (node) => node.host,
          (node) => ofNode(node, fleet.now),
        )}
      </ul>
      ${wrong.length > LISTED ? html`<p class="quiet">and ${count(wrong.length - LISTED, "other node")}; the list shows all</p>` : nothing}
    </section>
  `;
}

function heading(chosen, counts, pick) {
  const ills = (counts.failed ?? 0) + (counts.suspect ?? 0) + (counts.waiting ?? 0);
  if (chosen)
    return html`<h2>
      Chosen <button class="plain" @click=${() => pick(null)}>Show what is wrong</button>
    </h2>`;
  return ills
    ? html`<h2>What is wrong <b>${ills.toLocaleString("en")}</b></h2>`
    : html`<h2>Nothing is wrong</h2>`;
}

function calm(fleet, slice) {
  const runs = waitingSlices(fleet, slice).length
    ? "What has a place runs; more is wanted, and waits."
    : "Everything that is wanted runs.";
  const said = fleet.nodes.size
    ? runs
    : "No node has joined yet: dsmtc nodes invite makes a token with which one can.";
  return html`<p class="quiet calm">${said}</p>`;
}

function grouped(found, pick) {
  const shown = found.filter(({ hosts }) => hosts.length > 1).slice(0, GROUPS);
  if (!shown.length) return nothing;
  const one = (group) =>
    html`<li class="problem ${group.kind}">
      <i aria-hidden="true"></i>
      <div>
        <p>${sentence(group)}</p>
        <button class="plain" @click=${() => pick(group.hosts)}>
          on ${count(group.hosts.length, "node")}
        </button>
      </div>
    </li>`;
  return html`<ul class="problems groups">
    ${repeat(shown, ({ key }) => key, one)}
  </ul>`;
}

function ofNode(node, now) {
  const { kind, problems } = node.judged;
  const said = problems.length
    ? problems
        .slice(0, 2)
        .map((one) => html`<p>${sentence(one)} <span class="quiet">${ago(one.since, now)}</span></p>`)
    : html`<p class="quiet">${node.standing_says || KINDS.find(({ name }) => name === kind).word}</p>`;
  return html`<li class="problem ${kind}">
    <i aria-hidden="true"></i>
    <div>
      <a href=${to("node", node.host)}>${node.host}</a>
      ${said} ${problems.length > 2 ? html`<p class="quiet">and ${problems.length - 2} more</p>` : nothing}
    </div>
  </li>`;
}

function waitingSlices(fleet, slice) {
  return [...fleet.slices.values()].filter((one) => one.waiting.length && (!slice || one.slice === slice));
}

/** What the planner holds back, of the slices that are looked at. */
function heldBack(fleet, slice) {
  const slices = waitingSlices(fleet, slice);
  if (!slices.length) return nothing;
  const reason = ([text, times]) => html`<span>${text}${times > 1 ? ` (${times} times)` : ""}</span>`;
  return html`<details class="held" open>
    <summary>The planner waits</summary>
    <ul>
      ${slices.slice(0, 5).map((one) => html`<li><a href=${to("slice", one.slice)}>${one.slice}</a> ${one.waiting.slice(0, 2).map(reason)}</li>`)}
    </ul>
  </details>`;
}
