// A roll-out as a waterfall: host by host, who was in which state when.

import { courses, letterOf, STATES, summary } from "../course.js";
import { html, nothing, render, svg } from "../html.js";
import { setQuery, to } from "../router.js";
import { kindOfLayer } from "../verdicts.js";
import { count, moment, span } from "../words.js";

const LISTED = 150;
const ROW = 18;
const PAUSE_MS = 5_000;
// What came just before and after belongs to the picture.
const AROUND = 0.04;
const LEAST_S = 20;
// Pixels of the window that are not bars.
const BESIDE = 290;

export function open(context, params, query) {
  return new RollOutPage(context, params, query);
}

class RollOutPage {
  #context;
  #slice;
  #application;
  #number;
  #rollouts = null;
  #told = null;
  #rows = [];
  #listed = LISTED;
  #said = "";
  #at = 0;
  #took = 0;
  #drawing = { key: "", node: null };

  constructor(context, [slice, application], query) {
    this.#context = context;
    this.#slice = slice;
    this.#application = application;
    this.#number = Number(query.get("number")) || null;
    this.title = `Roll-out of ${application}`;
  }

  view() {
    this.#refresh();
    const rollout = this.#rollout;
    return html`
      <div class="head">
        <h1>Roll-out of ${this.#application} <span class="quiet">in</span> ${this.#slice}</h1>
        <span class="space"></span>
        <a href=${to("slice", this.#slice)}>The slice</a>
        ${rollout ? html`<a href="${to("time")}?at=${rollout.began_at.toFixed(0)}&window=1h">The fleet at its begin</a>` : nothing}
      </div>
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      ${this.#rollouts && !rollout ? html`<p class="quiet">It was never rolled out: a roll-out is begun on the page of the slice, or by dsmtc rollout.</p>` : nothing}
      ${rollout && this.#told ? this.#picture(rollout) : nothing}
    `;
  }

  get #rollout() {
    return this.#rollouts?.find((one) => one.number === this.#number) ?? this.#rollouts?.[0] ?? null;
  }

  #picture(rollout) {
    const { moved, got } = summary(this.#rows, rollout.version);
    const after = (share) => span(got[Math.floor(share * (got.length - 1))] - rollout.began_at);
    // They are sorted: behind these are those on which nothing changed.
    const shown = this.#rows.slice(0, Math.min(this.#listed, moved));
    const still = this.#rows.length - moved;
    return html`<section class="panel waterfall">
      <div class="filters">
        <label
          >Roll-out
          <select name="number" @change=${(event) => this.#choose(Number(event.target.value))}>
            ${this.#rollouts.map((one) => html`<option value=${one.number} ?selected=${one.number === rollout.number}>${worded(one)}</option>`)}
          </select></label
        >
        <span class="quiet"
          >begun ${moment(rollout.began_at)}, ${rollout.active ? "on for" : "took"} ${span(this.#end(rollout) - rollout.began_at)}</span
        >
      </div>
      <p aria-live="polite">
        ${count(moved, "host")} changed;
        ${
          got.length
            ? `${got.length.toLocaleString("en")} got ${rollout.version}: the first after ${after(0)}, half of them after ${after(0.5)}, all after ${after(1)}.`
            : `none got ${rollout.version} in this time.`
        }
      </p>
      <p class="key">
        ${STATES.map(({ name }) => html`<span><i class="letter ${kindOfLayer(name)} is-${name}" aria-hidden="true">${letterOf(name)}</i>${name}</span>`)}
        <span><i class="letter got" aria-hidden="true"></i>got another version</span>
        <span class="quiet">a line below a bar: its container or agent did not run</span>
      </p>
      ${this.#axis()}
      <div class="falls">
        <ul class="hosts">
          ${shown.map(({ host }) => html`<li><a href=${to("node", host)}>${host}</a></li>`)}
        </ul>
        ${this.#bars(rollout, shown)}
      </div>
      ${moved > this.#listed ? html`<button class="plain more" @click=${() => this.#more()}>Show more of ${count(moved, "host")}</button>` : nothing}
      ${still ? html`<p class="quiet">On ${count(still, "other host")} nothing changed in that time.</p>` : nothing}
    </section>`;
  }

  #axis() {
    const { since, until } = this.#told;
    const at = [0, 0.25, 0.5, 0.75, 1].map((share) => since + share * (until - since));
    return html`<p class="ends quiet axis">${at.map((one) => html`<span>${moment(one, until)}</span>`)}</p>`;
  }

  /** Drawn once for what was told: it is thousands of bars. */
  #bars(rollout, shown) {
    const key = [this.#told.asked, rollout.number, this.#listed].join("|");
    if (key === this.#drawing.key) return this.#drawing.node;
    const height = ROW * shown.length;
    const node = document.createElement("div");
    node.className = "scene";
    render(
      html`<svg
        width="100%"
        height=${height}
        role="list"
        aria-label="Hosts and their states over time"
      >
        ${[0.25, 0.5, 0.75].map((share) => line("grid", 100 * share))}
        ${shown.map((row, place) => this.#bar(row, place * ROW))}
        ${line("mark", this.#x(rollout.began_at))}
        ${rollout.active ? nothing : line("mark", this.#x(rollout.moved_at))}
      </svg>`,
      node,
    );
    this.#drawing = { key, node };
    return node;
  }

  #bar({ host, spans: own, below, versions }, y) {
    const said = own
      .concat(versions)
      .sort((a, b) => a.begin - b.begin)
      .map(({ begin, state }) => `${state} from ${moment(begin)}`)
      .join(", ");
    return svg`<g role="listitem" aria-label="${host}: ${said || "nothing is known"}">
      ${own.map((one) => this.#rect(one, y + 2, ROW - 7, one.state))}
      ${below.map((one) => this.#rect(one, y + ROW - 4, 2.5, `its ${one.part} ${one.state}`))}
      ${versions.map((one) => this.#got(one, y))}
    </g>`;
  }

  #rect({ begin, end, state }, y, height, says) {
    const [from, width] = [this.#x(begin), Math.max(this.#x(end) - this.#x(begin), 0.15)];
    const kind = kindOfLayer(state);
    // Where there is room for it, its letter: not by colour alone.
    const hasRoom = height > 8 && (width / 100) * (window.innerWidth - BESIDE) > 14;
    return svg`<rect
      class="${kind} is-${state}" x="${from}%" y=${y} width="${width}%" height=${height}
    ><title>${says} from ${moment(begin)}, ${span(end - begin)}</title></rect>
    ${hasRoom ? svg`<text class="is-${state}" x="${from + width / 2}%" y=${y + height - 2} aria-hidden="true">${letterOf(state)}</text>` : nothing}`;
  }

  #got({ begin, state }, y) {
    const x = this.#x(begin);
    return svg`<rect class="got" x="${x}%" y=${y} width="3" height=${ROW - 3}
      ><title>${state} from ${moment(begin)}</title></rect>`;
  }

  /** Where a moment is, in hundredths. */
  #x(at) {
    const { since, until } = this.#told;
    return (100 * (at - since)) / (until - since);
  }

  #end(rollout) {
    return rollout.active ? this.#context.fleet.now : rollout.moved_at;
  }

  #choose(number) {
    this.#number = number;
    setQuery(new URLSearchParams({ number }));
    this.#listed = LISTED;
    this.#at = 0;
    this.#context.changed();
  }

  #more() {
    this.#listed += 3 * LISTED;
    this.#context.changed();
  }

  async #refresh() {
    const begun = performance.now();
    if (this.#at && (begun - this.#at < Math.max(PAUSE_MS, 20 * this.#took) || this.#isOver)) return;
    this.#at = begun;
    const { session } = this.#context;
    const [slice, application] = [this.#slice, this.#application];
    try {
      const path = `/v1/slices/${encodeURIComponent(slice)}/rollouts/${encodeURIComponent(application)}/history`;
      this.#rollouts = await session.get(path);
      const rollout = this.#rollout;
      if (rollout) {
        const [since, until] = this.#around(rollout);
        const query = new URLSearchParams({ slice, application, since, until });
        const told = await session.get(`/v1/past/course?${query}`);
        if (rollout.number === this.#rollout.number) {
          this.#told = { ...told, asked: begun };
          this.#rows = courses(told, application, rollout.began_at);
        }
      }
      this.#said = "";
    } catch (error) {
      this.#said = error.message;
    }
    this.#took = performance.now() - begun;
    this.#context.changed();
  }

  /** A roll-out that has ended, and whose time around is past, changes no more. */
  get #isOver() {
    const rollout = this.#rollout;
    return Boolean(this.#told && rollout && !rollout.active && this.#around(rollout)[1] < this.#told.until + 1);
  }

  #around(rollout) {
    const end = this.#end(rollout);
    const more = Math.max(AROUND * (end - rollout.began_at), LEAST_S);
    return [rollout.began_at - more / 2, Math.min(end + more, this.#context.fleet.now)];
  }
}

const line = (kind, x) => svg`<line class=${kind} x1="${x}%" x2="${x}%" y1="0" y2="100%"></line>`;

const worded = ({ from_version, version, phase, began_at }) =>
  `${from_version || "nothing"} → ${version}, ${phase}, ${moment(began_at)}`;
