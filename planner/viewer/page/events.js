// What was said about a node or a slice, lately or (asked for) in the last day, the newest first: the changes
// of the layers, or everything.

import { html, nothing, repeat } from "./html.js";
import { kindOfLayer } from "./verdicts.js";
import { cut, iso, moment } from "./words.js";

const MOST = 300;
// Characters of what one event says.
const LONGEST = 1_000;
const DAY = "24h";
const CHANGES = "deployment-status";
const SLICES = "/org/dsmt/ns/deployment/";
const PART = "org.dsmt.component.";
const LAYERS = { container: "container", "deployment-agent": "agent" };
const SAID_ELSEWHERE = new Set([
  "hostname",
  "component",
  "managed",
  "slice",
  "status",
  "state",
  "generation",
]);

export class Events {
  #context;
  #channels;
  #own;
  #found = null;
  #said = "";
  #deep = false;
  #whole = false;
  #asking = false;
  #again = false;

  /**
   * @param own the slice or node whose page it is, which need not be said of each event.
   * @param channels a function that gives the channels to listen to.
   */
  constructor(context, own, channels) {
    this.#context = context;
    this.#own = own;
    this.#channels = channels;
    this.refresh();
  }

  /** Ask anew; calls while one is under way are one, after it. */
  async refresh() {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      const found = await Promise.all(this.#channels().map((channel) => this.#of(channel)));
      const known = new Map(
        found.flat().map((event) => [event.id || `${event.sent_at}${event.channel}`, event]),
      );
      this.#found = [...known.values()].sort((a, b) => b.sent_at - a.sent_at).slice(0, MOST);
      this.#said = "";
    } catch (error) {
      this.#said = error.message;
    }
    this.#asking = false;
    this.#context.changed();
    if (this.#again) {
      this.#again = false;
      this.refresh();
    }
  }

  view() {
    const when = this.#deep ? "in the last 24 hours" : "lately";
    return html`
      <h2>
        ${this.#whole ? "What was said" : "What has changed"} <span class="quiet">${when}</span>
        <button class="plain" @click=${() => this.refresh()}>Refresh</button>
        <button class="plain" @click=${() => this.#turn("deep")}>
          ${this.#deep ? "Lately" : "The last 24 hours"}
        </button>
        <button class="plain" @click=${() => this.#turn("whole")}>
          ${this.#whole ? "Changes only" : "Everything"}
        </button>
      </h2>
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      ${this.#found === null ? html`<p class="quiet">…</p>` : this.#table(when)}
    `;
  }

  #table(when) {
    if (!this.#found.length)
      return html`<p class="quiet">Nothing ${this.#whole ? "was said" : "has changed"} ${when}.</p>`;
    return html`<div class="scroll tall" tabindex="0" role="region" aria-label="Events">
      <table class="events stacked">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Where</th>
            <th scope="col">Layer</th>
            <th scope="col">What</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            this.#found,
            (event) => event.id,
            (event) => row(event, this.#own),
          )}
        </tbody>
      </table>
    </div>`;
  }

  async #of(channel) {
    const query = new URLSearchParams({ channel });
    if (!this.#whole && channel.startsWith(SLICES)) query.set("field", CHANGES);
    if (this.#deep) query.set("since", DAY);
    else query.set("count", String(MOST));
    const found = [];
    for await (const event of this.#context.session.lines(`/v1/events?${query}`)) {
      // How well a node's own process is, is no change of a layer.
      if (event.channel && (this.#whole || event.field !== "health")) found.push(event);
      if (found.length > 4 * MOST) found.splice(0, MOST);
    }
    return found;
  }

  #turn(what) {
    if (what === "deep") this.#deep = !this.#deep;
    else this.#whole = !this.#whole;
    this.#found = null;
    this.refresh();
  }
}

function row(event, own) {
  const words = event.channel.split("/").filter(Boolean);
  const isOfSlice = event.channel.startsWith(SLICES);
  const where = isOfSlice ? [words[4], words[7]] : [words[4]];
  return html`<tr>
    <td class="since"><time datetime=${iso(event.sent_at)}>${moment(event.sent_at)}</time></td>
    <td class="quiet">${where.filter((word) => word && word !== own).join(" · ")}</td>
    ${event.field === CHANGES ? change(event) : said(event, words[5])}
  </tr>`;
}

/** A layer that has become something. */
function change({ pairs }) {
  const layer = (pairs.managed ?? pairs.component ?? "").replace(PART, "");
  const state = pairs.status ?? pairs.state ?? "";
  return html`<td>${LAYERS[layer] ?? layer}</td>
    <td class="what">
      <span class="kind ${kindOfLayer(state)}"><i aria-hidden="true"></i>${state}</span>
      <span class="quiet">${rest(pairs)}</span>
    </td>`;
}

function said({ field, pairs, value }, part = "") {
  const isPairs = Object.keys(pairs).length > 0;
  return html`<td class="quiet">${part.replace(PART, "")}</td>
    <td class="what"><b>${field}</b> ${isPairs ? rest(pairs) : cut(value, LONGEST)}</td>`;
}

const rest = (pairs) => cut(written(pairs), LONGEST);

const written = (pairs) =>
  Object.entries(pairs)
    .filter(([name]) => !SAID_ELSEWHERE.has(name))
    .map(([name, value]) => (name === "reason" || name === "text" ? value : `${name} ${value}`))
    .join(", ");
