// Of the time in which something was wanted the share in which it ran: by application, node or site.

import { html, nothing, repeat, svg } from "../html.js";
import { asked, choices, periodOf, select } from "../periods.js";
import { setQuery, to } from "../router.js";
import { count, span } from "../words.js";

const BY = [
  ["application", "application"],
  ["node", "node"],
  ["site", "site"],
];
const LISTED = 100;

export function open(context, _params, query) {
  return new AvailabilityPage(context, query);
}

class AvailabilityPage {
  title = "Availability";
  #context;
  #chosen;
  #rows = null;
  #said = "";
  #asked = 0;
  #until = 0;
  #listed = LISTED;

  constructor(context, query) {
    this.#context = context;
    const by = BY.some(([name]) => name === query.get("by")) ? query.get("by") : "application";
    this.#chosen = { period: periodOf(query), slice: query.get("slice") ?? "", by };
    this.#load();
  }

  view() {
    const rows = this.#rows;
    return html`
      <h1>Availability</h1>
      <form class="filters" @submit=${(event) => event.preventDefault()}>
        ${select("by", "By", BY, this.#chosen.by, (by) => this.#set({ by }))}
        ${choices(this.#context.fleet, this.#chosen, (change) => this.#set(change))}
        <span class="space"></span>
        <button type="button" @click=${() => this.#load()}>Again</button>
        <button type="button" @click=${() => this.#save()} ?disabled=${!rows?.length}>Save as CSV</button>
      </form>
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      ${rows ? this.#report(rows) : html`<p class="quiet wait">Reading what was …</p>`}
    `;
  }

  #report(rows) {
    if (!rows.length) return html`<p class="quiet">Nothing was wanted in that time, or nothing was recorded yet.</p>`;
    return html`<section class="panel">
      <p class="quiet">
        Of the time in which an instance was wanted, the share in which it ran; the worst first. When the
        planner was away nobody looked: such time counts neither way.
      </p>
      <div class="scroll">
        <table class="availability stacked">
          <thead>
            <tr>
              <th scope="col" class="by">${this.#chosen.by}</th>
              <th scope="col" class="number">Ran</th>
              <th scope="col" class="shares"><span class="unseen">Shares</span></th>
              <th scope="col" class="number">Did not run</th>
              <th scope="col" class="number">Outages</th>
              <th scope="col" class="number">Longest</th>
              <th scope="col" class="number">Wanted</th>
              <th scope="col" class="number">Nobody looked</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(
              rows.slice(0, this.#listed),
              (row) => row.name,
              (row) => this.#row(row),
            )}
          </tbody>
        </table>
      </div>
      ${
        rows.length > this.#listed
          ? html`<button class="plain more" @click=${() => this.#more()}>
              Show ${Math.min(rows.length - this.#listed, 5 * LISTED)} more of ${count(rows.length, this.#chosen.by)}
            </button>`
          : nothing
      }
    </section>`;
  }

  #row(row) {
    const down = Math.max(row.wanted_s - row.running_s, 0);
    return html`<tr>
      <th scope="row">${this.#name(row.name)}</th>
      <td class="number share-of" data-says="ran">${percent(row.share)}</td>
      <td class="shares">${shares(row, down)}</td>
      <td class="number" data-says="did not run">${down >= 0.5 ? span(down) : "–"}</td>
      <td class="number" data-says="outages">${row.outages ? row.outages.toLocaleString("en") : "–"}</td>
      <td class="number" data-says="longest">${row.longest_s >= 0.5 ? span(row.longest_s) : "–"}</td>
      <td class="number quiet" data-says="wanted">${span(row.wanted_s)}</td>
      <td class="number quiet" data-says="nobody looked">${row.unknown_s >= 0.5 ? span(row.unknown_s) : "–"}</td>
    </tr>`;
  }

  #name(name) {
    if (this.#chosen.by === "node") return html`<a href=${to("node", name)}>${name}</a>`;
    if (this.#chosen.by === "site") return name || html`<span class="quiet">no site</span>`;
    const [slice, application] = name.split(" ");
    const query = new URLSearchParams({ period: this.#chosen.period.name, slice, application });
    return html`<a href="${to("charts")}?${query.toString()}">${application}</a>
      <span class="quiet">${slice}</span>`;
  }

  #more() {
    this.#listed += 5 * LISTED;
    this.#context.changed();
  }

  #set(change) {
    Object.assign(this.#chosen, change);
    const { by, period, slice } = this.#chosen;
    const query = new URLSearchParams({ by, period: period.name });
    if (slice) query.set("slice", slice);
    setQuery(query);
    this.#listed = LISTED;
    this.#rows = null;
    this.#load();
  }

  async #load() {
    const mine = (this.#asked += 1);
    const { session, fleet } = this.#context;
    this.#until = fleet.now;
    this.#said = "";
    this.#context.changed();
    try {
      const { rows } = await session.get(`/v1/past/availability?${this.#query}`);
      if (mine !== this.#asked) return;
      this.#rows = rows;
    } catch (error) {
      if (mine !== this.#asked) return;
      this.#rows ??= [];
      this.#said = error.message;
    }
    this.#context.changed();
  }

  get #query() {
    return asked(this.#until, this.#chosen, { by: this.#chosen.by });
  }

  /** The same report for a spreadsheet; fetched, for a link would not say who asks. */
  async #save() {
    const { session, dialogs } = this.#context;
    try {
      const text = await session.text(`/v1/past/availability.csv?${this.#query}`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      link.download = `availability-by-${this.#chosen.by}-${this.#chosen.period.name}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      dialogs.note(error.message, "refused");
    }
  }
}

/** Cut and not rounded: what failed for a moment is not 100 %. */
function percent(share) {
  if (share === null) return "unknown";
  return share === 1 ? "100 %" : `${(Math.floor(share * 100_000) / 1_000).toFixed(3)} %`;
}

function shares(row, down) {
  const all = row.wanted_s + row.unknown_s || 1;
  // Of a month some seconds still have to be seen.
  const ill = down ? Math.max((100 * down) / all, 1.5) : 0;
  const unknown = (100 * row.unknown_s) / all;
  const words = `ran ${percent(row.share)}`;
  return html`<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=${words}>
    ${svg`<rect class="fine" x=${ill} y="0" width=${Math.max(100 - ill - unknown, 0)} height="8"></rect>
      <rect class="failed" x="0" y="0" width=${ill} height="8"></rect>
      <rect class="unknown" x=${Math.max(100 - unknown, ill)} y="0" width=${unknown} height="8"></rect>`}
  </svg>`;
}
