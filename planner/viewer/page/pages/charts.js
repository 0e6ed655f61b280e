// How many instances ran, had failed, waited, or nobody knew of, over a time that ends now.

import { Chart } from "../chart.js";
import { html, nothing } from "../html.js";
import { asked, choices, periodOf } from "../periods.js";
import { setQuery, to } from "../router.js";
import { count, moment, span } from "../words.js";

const POINTS = 300;
const PAUSE_MS = 10_000;
const ROWS = 24;
const ILL = [
  { name: "failed", kind: "failed" },
  { name: "waiting", kind: "waiting" },
];
const ALL = [...ILL, { name: "unknown", kind: "unknown" }, { name: "running", kind: "fine" }];

export function open(context, _params, query) {
  return new ChartsPage(context, query);
}

class ChartsPage {
  title = "Charts";
  #context;
  #chosen;
  #charts;
  #samples = [];
  #said = "";
  #at = 0;
  #took = 0;
  #number = 0;

  constructor(context, query) {
    this.#context = context;
    const [slice, application] = ["slice", "application"].map((name) => query.get(name) ?? "");
    this.#chosen = { period: periodOf(query), slice, application };
    const changed = () => context.changed();
    this.#charts = [new Chart(ILL, changed), new Chart(ALL, changed)];
  }

  view() {
    this.#refresh();
    const { fleet } = this.#context;
    return html`
      <h1>Charts</h1>
      <form class="filters" @submit=${(event) => event.preventDefault()}>
        ${choices(fleet, this.#chosen, (change) => this.#set(change))}
      </form>
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      ${this.#charts[0].isLacking ? html`<p class="refused">The page's charts are not installed: python planner/viewer/assets.py fetches them.</p>` : nothing}
      ${this.#legend()} ${this.#panel("ill", "What had failed or waited")}
      ${this.#panel("all", "All that was wanted")} ${heartbeats(fleet.heard)} ${this.#table()}
    `;
  }

  drawn(root) {
    if (!this.#samples.length) return;
    ["ill", "all"].forEach((name, place) =>
      this.#charts[place].draw(root.querySelector(`.chart.${name}`), this.#samples, this.#number),
    );
  }

  close() {
    for (const one of this.#charts) one.close();
  }

  #panel(name, title) {
    return html`<section class="panel">
      <h2>${title}</h2>
      <div class="chart ${name}" role="img" aria-label="${title}: ${this.#summary()}"></div>
    </section>`;
  }

  /** The colours with how many there were at the moment that is pointed at, or at the end. */
  #legend() {
    const pointed = this.#charts[0].pointed ?? this.#charts[1].pointed;
    const sample = this.#samples[pointed ?? this.#samples.length - 1];
    if (!sample) return nothing;
    return html`<p class="key">
      ${[...ALL].map(({ name, kind }) => html`<span><i class="sign ${kind}" aria-hidden="true"></i>${name} <b>${sample[name].toLocaleString("en")}</b></span>`)}
      <span class="quiet"
        >${pointed === null ? "now" : html`${moment(sample.at)} <a href="${to("time")}?at=${sample.at.toFixed(0)}">how the fleet was</a>`}</span
      >
    </p>`;
  }

  /** For who does not see the chart. */
  #summary() {
    const worst = this.#samples.reduce((a, b) => (a && a.failed >= b.failed ? a : b), null);
    if (!worst) return "nothing is known yet";
    const now = this.#samples.at(-1);
    const said = ALL.map(({ name }) => `${now[name]} ${name}`).join(", ");
    return `now ${said}; most failures, ${worst.failed}, at ${moment(worst.at)}`;
  }

  #table() {
    const step = Math.max(Math.floor(this.#samples.length / ROWS), 1);
    const rows = this.#samples.filter((_, place) => place % step === 0).reverse();
    return html`<details class="panel">
      <summary>The same as a table</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">At</th>
              ${ALL.map(({ name }) => html`<th scope="col">${name}</th>`)}
              <th scope="col"></th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (one) =>
                html`<tr>
                  <th scope="row">${moment(one.at)}</th>
                  ${ALL.map(({ name }) => html`<td>${one[name].toLocaleString("en")}</td>`)}
                  <td><a href="${to("time")}?at=${one.at.toFixed(0)}">how the fleet was</a></td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p class="quiet">${count(this.#samples.length, "sample")}, of which ${rows.length} are shown</p>
    </details>`;
  }

  #set(change) {
    Object.assign(this.#chosen, change);
    const { period, slice, application } = this.#chosen;
    const query = new URLSearchParams({ period: period.name });
    if (slice) query.set("slice", slice);
    if (application) query.set("application", application);
    setQuery(query);
    this.#at = 0;
    this.#context.changed();
  }

  async #refresh() {
    const begun = performance.now();
    if (this.#at && begun - this.#at < Math.max(PAUSE_MS, 20 * this.#took)) return;
    this.#at = begun;
    const chosen = { ...this.#chosen };
    const { session, fleet } = this.#context;
    try {
      const told = await session.get(`/v1/past/series?${asked(fleet.now, chosen, { points: POINTS })}`);
      if (JSON.stringify(chosen) !== JSON.stringify(this.#chosen)) return;
      this.#samples = told.samples;
      this.#number += 1;
      this.#said = "";
    } catch (error) {
      this.#said = error.message;
    }
    this.#took = performance.now() - begun;
    this.#context.changed();
  }
}

/** How long ago the nodes were heard, in classes: what is far down is silent. */
function heartbeats(heard) {
  if (!heard.length) return nothing;
  const all = heard.reduce((sum, [, number]) => sum + number, 0) || 1;
  const most = Math.max(...heard.map(([, number]) => number), 1);
  const from = (place) => (place ? span(heard[place - 1][0]) : "0 s");
  const label = ([edge], place) => (edge === null ? `${from(place)} and longer` : `${from(place)} – ${span(edge)}`);
  return html`<section class="panel">
    <h2>Since the last heartbeat of a node <span class="quiet">now, of all nodes</span></h2>
    <table class="ages">
      <tbody>
        ${heard.map((one, place) => {
          const [, number] = one;
          return html`<tr>
            <th scope="row" class="quiet">${label(one, place)}</th>
            <td class="number">${number ? number.toLocaleString("en") : "–"}</td>
            <td class="number quiet">${number ? `${((100 * number) / all).toFixed(1)} %` : ""}</td>
            <td>
              <svg class="age" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                <rect width=${number ? Math.max((100 * number) / most, 0.5) : 0} height="10"></rect>
              </svg>
            </td>
          </tr>`;
        })}
      </tbody>
    </table>
  </section>`;
}
