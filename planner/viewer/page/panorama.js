// All nodes at once, as a map, a grid or a list: of the fleet of now, or of one that was.

import { Grid, columnsOf } from "./grid.js";
import { html, nothing, repeat } from "./html.js";
import { WorldMap } from "./map.js";
import { sentence } from "./problems.js";
import { to } from "./router.js";
import { nameOf, sharesOf } from "./spots.js";
import { KINDS } from "./verdicts.js";
import { ago, count } from "./words.js";

const VIEWS = [
  ["map", "Map"],
  ["grid", "Grid"],
  ["list", "List"],
];
const LISTED = 100;
const NAMED = 300;

export class Panorama {
  /** How it is shown: `map`, `grid` or `list`. */
  name;
  #changed;
  #turned;
  #dense = null;
  #map;
  #grid;
  #listed = LISTED;
  #shown = { nodes: [], slice: "", key: "" };

  /**
   * @param name how it is shown at first.
   * @param around {changed, turned, picked}: called when it has to be drawn again, when the reader wants it
   *   shown otherwise, and with the nodes of the circle on the map that was chosen, or null.
   */
  constructor(name, { changed, turned, picked }) {
    this.name = VIEWS.some(([known]) => known === name) ? name : "map";
    this.#changed = changed;
    this.#turned = turned;
    this.#map = new WorldMap(changed, picked);
    this.#grid = new Grid(changed, (node) => (location.hash = to("node", node.host)));
  }

  /** As in the beginning: the list from its top. */
  begin() {
    this.#listed = LISTED;
  }

  /**
   * @param fleet a `Fleet`, or one that was.
   * @param shown {nodes, slice, key, isAll}: which nodes, of which slice, what changes when they do, and
   *   whether these are all that there are.
   */
  view(fleet, shown) {
    this.#shown = shown;
    const { nodes } = shown;
    const of = shown.isAll ? "" : ` of ${fleet.nodes.size.toLocaleString("en")}`;
    return html`<section class="panel where" aria-label="Where the nodes are">
      <div class="tabs" role="tablist" aria-label="How the nodes are shown" @keydown=${tabKeys}>
        ${VIEWS.map(([name, word]) => this.#tab(name, word))}
        <span class="space"></span>
        <span class="quiet" aria-live="polite">${count(nodes.length, "node")}${of}</span>
      </div>
      <div id="nodes-shown" role="tabpanel" aria-labelledby="tab-${this.name}">
        ${this.name === "map" ? this.#mapView(nodes) : this.name === "grid" ? this.#gridView(fleet, nodes) : this.#listView(fleet, nodes)}
      </div>
    </section>`;
  }

  drawn(root, fleet) {
    const { nodes, slice, key } = this.#shown;
    const map = root.querySelector("canvas.map");
    if (map) this.#map.draw(map, nodes, key);
    const box = root.querySelector(".grid");
    if (box) this.#grid.draw(box, fleet, { nodes, slice, isDense: this.#isDense, key });
  }

  #tab(name, word) {
    const isOn = name === this.name;
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

  get #isDense() {
    return this.#dense ?? this.#shown.nodes.length > NAMED;
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

  #gridView(fleet, nodes) {
    const columns = columnsOf(fleet, this.#shown.slice).map(({ title }) => title);
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

  #listView(fleet, nodes) {
    return html`
      <div class="scroll">
        <table class="nodes stacked">
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
              (node) => row(fleet, node),
            )}
          </tbody>
        </table>
      </div>
      ${nodes.length > this.#listed ? html`<button class="plain more" @click=${() => this.#more()}>Show ${Math.min(nodes.length - this.#listed, 5 * LISTED)} more</button>` : nothing}
    `;
  }

  #show(name) {
    this.name = name;
    this.#turned();
  }

  #turn() {
    this.#dense = !this.#isDense;
    this.#changed();
  }

  #more() {
    this.#listed += 5 * LISTED;
    this.#changed();
  }
}

function row(fleet, node) {
  const problem = node.judged.problems[0];
  const kind = KINDS.find(({ name }) => name === node.judged.kind);
  return html`<tr>
    <th scope="row"><a href=${to("node", node.host)}>${node.host}</a></th>
    <td class="quiet">${node.site}</td>
    <td>
      <span class="kind ${kind.name}"><i aria-hidden="true"></i>${kind.word}</span>
    </td>
    <td class="what">${problem ? sentence(problem) : node.standing_says}</td>
    <td class="quiet since">${problem ? ago(problem.since, fleet.now) : ""}</td>
  </tr>`;
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
