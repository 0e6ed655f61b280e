// The fleet at a glance: what is wrong first, then where, as a map, a grid or a list.

import { filterBar } from "../filterbar.js";
import { Filter } from "../filters.js";
import { html } from "../html.js";
import { Panorama } from "../panorama.js";
import { wrongPanel } from "../problems.js";
import { setQuery, to } from "../router.js";

export function open(context, _params, query) {
  return new FleetPage(context, query);
}

class FleetPage {
  title = "Fleet";
  #context;
  #filter;
  #panorama;
  #picked = null;
  #planned = null;
  #seen = { key: "", nodes: [], counts: {} };

  constructor(context, query) {
    this.#context = context;
    this.#filter = Filter.of(query);
    this.#panorama = new Panorama(query.get("view"), {
      changed: () => context.changed(),
      turned: () => this.#written(),
      picked: (nodes) => this.#pick(nodes),
    });
    this.#evaluate();
  }

  view() {
    this.#look();
    const { nodes, counts, key } = this.#seen;
    const { slice, isOn } = this.#filter;
    const failed = counts.failed ?? 0;
    this.title = failed ? `${failed} failed · Fleet` : "Fleet";
    return html`
      <h1 class="unseen">Fleet</h1>
      ${this.#filters(counts)}
      <div class="fleet">
        ${this.#panorama.view(this.#context.fleet, { nodes, slice, key, isAll: !isOn })}
        ${this.#wrong(nodes, counts)}
      </div>
    `;
  }

  drawn(root) {
    this.#panorama.drawn(root, this.#context.fleet);
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

  /** The right side: what is wrong, or what was chosen on the map. */
  #wrong(nodes, counts) {
    const { fleet } = this.#context;
    const chosen = this.#picked ? nodes.filter((node) => this.#picked.has(node.host)) : null;
    const pick = (hosts) => this.#pick(hosts && hosts.map((host) => ({ host })));
    return wrongPanel(fleet, { nodes, chosen, counts, slice: this.#filter.slice, pick });
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
    this.#panorama.begin();
    if (slice !== this.#filter.slice || plan !== this.#filter.plan) this.#evaluate();
    this.#written();
  }

  #written() {
    const query = new URLSearchParams();
    if (this.#panorama.name !== "map") query.set("view", this.#panorama.name);
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
