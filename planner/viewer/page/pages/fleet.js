// The fleet at a glance: what is wrong first, then where, as a map, a grid or a list.

import { filterBar } from "../filterbar.js";
import { Filter } from "../filters.js";
import { Grid, columnsOf } from "../grid.js";
import { html, nothing, repeat } from "../html.js";
import { WorldMap } from "../map.js";
import { sentence, wrongPanel } from "../problems.js";
import { setQuery, to } from "../router.js";
import { nameOf, sharesOf } from "../spots.js";
import { KINDS } from "../verdicts.js";
import { ago, count } from "../words.js";

const VIEWS = [
  ["map", "Map"],
  ["grid", "Grid"],
  ["list", "List"],
];
const LISTED = 100;
const NAMED = 300;

export function open(context, _params, query) {
  return new FleetPage(context, query);
}

class FleetPage {
  title = "Fleet";
  #context;
  #filter;
  #view;
  #dense = null;
  #map;
  #grid;
  #picked = null;
  #planned = null;
  #listed = LISTED;
  #seen = { key: "", nodes: [], counts: {} };

  constructor(context, query) {
    this.#context = context;
    this.#filter = Filter.of(query);
    this.#view = VIEWS.some(([name]) => name === query.get("view")) ? query.get("view") : "map";
    this.#map = new WorldMap(
      () => context.changed(),
      (nodes) => this.#pick(nodes),
    );
    this.#grid = new Grid(
      () => context.changed(),
      (node) => (location.hash = to("node", node.host)),
    );
    this.#evaluate();
  }

  view() {
    this.#look();
    const { nodes, counts } = this.#seen;
    const failed = counts.failed ?? 0;
    this.title = failed ? `${failed} failed · Fleet` : "Fleet";
    return html`
      <h1 class="unseen">Fleet</h1>
      ${this.#filters(counts)}
      <div class="fleet">
        <section class="panel where" aria-label="Where the nodes are">
          <div class="tabs" role="tablist" aria-label="How the nodes are shown" @keydown=${tabKeys}>
            ${VIEWS.map(([name, word]) => this.#tab(name, word))}
            <span class="space"></span>
            <span class="quiet" aria-live="polite"
              >${count(nodes.length, "node")}${this.#filter.isOn ? ` of ${this.#context.fleet.nodes.size.toLocaleString("en")}` : ""}</span
            >
          </div>
          <div id="nodes-shown" role="tabpanel" aria-labelledby="tab-${this.#view}">
            ${this.#view === "map" ? this.#mapView(nodes) : this.#view === "grid" ? this.#gridView(nodes) : this.#listView(nodes)}
          </div>
        </section>
        ${this.#wrong(nodes, counts)}
      </div>
    `;
  }

  #filters(counts) {
    return filterBar(this.#filter, {
      counts,
      slices: [...this.#context.fleet.slices.keys()].sort(),
      plans: this.#plans(),
      set: (change) => this.#set(change),
      toggle: (kind) => this.#toggle(kind),
    });
  }

  #tab(name, word) {
    const isOn = name === this.#view;
    return html`<button
      role="tab"
      id="tab-${name}"
      aria-controls="nodes-shown"
      aria-selected=${isOn ? "true" : "false"}
      tabindex=${isOn ? 0 : -1}
      @click=${() => this.#show(name)}
    >
      ${word}
    </button>`;
  }

  drawn(root) {
    const { nodes, key } = this.#seen;
    const map = root.querySelector("canvas.map");
    if (map) this.#map.draw(map, nodes, key);
    const box = root.querySelector(".grid");
    if (box)
      this.#grid.draw(box, this.#context.fleet, {
        nodes,
        slice: this.#filter.slice,
        isDense: this.#isDense,
        key,
      });
  }

  get #isDense() {
    return this.#dense ?? this.#seen.nodes.length > NAMED;
  }

  #look() {
    const { fleet } = this.#context;
    const key = [
      fleet.version,
      this.#filter.text,
      this.#filter.slice,
      this.#filter.plan,
      [...this.#filter.kinds].join(),
      this.#planned?.size ?? "",
    ].join("|");
    if (key !== this.#seen.key) this.#seen = { key, ...this.#filter.apply(fleet, this.#planned) };
  }

  #mapView(nodes) {
    const lost = nodes.filter((node) => node.latitude === null || node.longitude === null);
    const { hovered } = this.#map;
    return html`
      <div class="map-box">
        <canvas
          class="map"
          tabindex="0"
          role="img"
          aria-label="A map of ${count(nodes.length - lost.length, "node")}. Arrows move it, + and - zoom. The list shows the same as text."
        ></canvas>
        <div class="zoom">
          <button @click=${() => this.#map.zoomBy(1.6)} title="Closer (+)">
            <span aria-hidden="true">+</span><span class="unseen">Closer</span>
          </button>
          <button @click=${() => this.#map.zoomBy(1 / 1.6)} title="Farther (-)">
            <span aria-hidden="true">−</span><span class="unseen">Farther</span>
          </button>
          <button @click=${() => this.#map.whole()} title="The whole world (0)">
            <span aria-hidden="true">⤢</span><span class="unseen">The whole world</span>
          </button>
        </div>
        ${hovered ? html`<p class="hover"><b>${nameOf(hovered)}</b> ${sharesOf(hovered)}</p>` : nothing}
        ${this.#map.hasOutlines ? nothing : html`<p class="hover low">The outlines of the land are not installed: python planner/viewer/assets.py fetches them.</p>`}
      </div>
      ${
        lost.length
          ? html`<details class="lost">
              <summary>
                ${count(lost.length, "node")} without coordinates
                <span class="quiet"
                  >(a node tells the facts latitude and longitude, or is labelled with them)</span
                >
              </summary>
              <ul class="chips">
                ${lost.slice(0, 200).map(
                  (node) =>
                    html`<li>
                      <a class="chip ${node.judged.kind}" href=${to("node", node.host)}
                        ><i aria-hidden="true"></i>${node.host}</a
                      >
                    </li>`,
                )}
              </ul>
              ${lost.length > 200 ? html`<p class="quiet">and ${count(lost.length - 200, "other")}; the list shows all</p>` : nothing}
            </details>`
          : nothing
      }
    `;
  }

  #gridView(nodes) {
    const columns = columnsOf(this.#context.fleet, this.#filter.slice).map(({ title }) => title);
    const cursor = this.#grid.cursor;
    return html`
      <p class="legend quiet">
        ${this.#isDense ? html`Each column of fields is a node; from above: ${columns.join(", ")}.` : "Each row is a node with its layers."}
        <button class="plain" @click=${() => this.#turn()}>
          ${this.#isDense ? "With names" : "Dense"}
        </button>
      </p>
      <div class="grid">
        <canvas
          tabindex="0"
          role="img"
          aria-label="A grid of ${count(nodes.length, "node")} and their layers: ${columns.join(", ")}. Arrows move, Enter opens a node. The list shows the same as text."
        ></canvas>
        <div class="tall"></div>
      </div>
      <p class="unseen" aria-live="polite">
        ${cursor ? `${cursor.host}: ${cursor.judged?.kind ?? ""}` : ""}
      </p>
    `;
  }

  #listView(nodes) {
    return html`
      <div class="scroll">
        <table class="nodes">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Site</th>
              <th scope="col">State</th>
              <th scope="col">What</th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(
              nodes.slice(0, this.#listed),
              (node) => node.host,
              (node) => this.#row(node),
            )}
          </tbody>
        </table>
      </div>
      ${nodes.length > this.#listed ? html`<button class="plain more" @click=${() => this.#more()}>Show ${Math.min(nodes.length - this.#listed, 5 * LISTED)} more</button>` : nothing}
    `;
  }

  #row(node) {
    const problem = node.judged.problems[0];
    const kind = KINDS.find(({ name }) => name === node.judged.kind);
    return html`<tr>
      <th scope="row"><a href=${to("node", node.host)}>${node.host}</a></th>
      <td class="quiet">${node.site}</td>
      <td>
        <span class="kind ${kind.name}"><i aria-hidden="true"></i>${kind.word}</span>
      </td>
      <td class="what">${problem ? sentence(problem) : node.standing_says}</td>
      <td class="quiet since">${problem ? ago(problem.since, this.#context.fleet.now) : ""}</td>
    </tr>`;
  }

  /** The right side: what is wrong, or what was chosen on the map. */
  #wrong(nodes, counts) {
    const { fleet } = this.#context;
    const chosen = this.#picked ? nodes.filter((node) => this.#picked.has(node.host)) : null;
    const pick = (hosts) => this.#pick(hosts && hosts.map((host) => ({ host })));
    return wrongPanel(fleet, { nodes, chosen, counts, slice: this.#filter.slice, pick });
  }

  #show(name) {
    this.#view = name;
    this.#written();
  }

  #turn() {
    this.#dense = !this.#isDense;
    this.#context.changed();
  }

  #more() {
    this.#listed += 5 * LISTED;
    this.#context.changed();
  }

  #pick(nodes) {
    if (nodes?.length === 1) {
      location.hash = to("node", nodes[0].host);
      return;
    }
    this.#picked = nodes ? new Set(nodes.map(({ host }) => host)) : null;
    this.#context.changed();
  }

  #toggle(kind) {
    this.#filter.toggle(kind);
    this.#written();
  }

  #set(change) {
    const { slice, plan } = this.#filter;
    Object.assign(this.#filter, change);
    this.#picked = null;
    this.#listed = LISTED;
    if (slice !== this.#filter.slice || plan !== this.#filter.plan) this.#evaluate();
    this.#written();
  }

  #written() {
    const query = new URLSearchParams();
    if (this.#view !== "map") query.set("view", this.#view);
    this.#filter.write(query);
    setQuery(query);
    this.#context.changed();
  }

  #known = { slice: "", plans: [] };

  #plans() {
    return this.#known.slice === this.#filter.slice ? this.#known.plans : [];
  }

  /** Ask for the plans of the slice, and whom the chosen one selects now. */
  async #evaluate() {
    const { slice, plan } = this.#filter;
    this.#planned = null;
    if (!slice) return;
    const path = `/v1/slices/${encodeURIComponent(slice)}`;
    try {
      const plans = await this.#context.session.get(`${path}/plans`);
      this.#known = { slice, plans: plans.filter((one) => !one.builtin).map((one) => one.name) };
      if (plan) {
        const found = await this.#context.session.post(`${path}/plans/eval`, { plan });
        if (plan === this.#filter.plan) this.#planned = new Set(found.hosts.map(({ host }) => host));
      }
    } catch (error) {
      this.#context.dialogs.note(error.message, "refused");
    }
    this.#context.changed();
  }
}

/** Arrows go from tab to tab, as in every list of tabs. */
function tabKeys(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...event.currentTarget.querySelectorAll("[role=tab]")];
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
}
