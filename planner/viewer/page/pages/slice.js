// One slice: what is wanted and how far that is, its plan, its applications and roll-outs, host by host.

import { rollOut, run, turnRollOut } from "../acts.js";
import { Events } from "../events.js";
import { html, nothing, repeat } from "../html.js";
import { application, layer } from "../layers.js";
import { planning } from "../planning.js";
import { to } from "../router.js";
import { isLost, RANK } from "../verdicts.js";
import { ago, count, some } from "../words.js";
import { bar, shares } from "./slices.js";

const LISTED = 100;
const PAUSE_MS = 2_000;

export function open(context, [slice]) {
  return new SlicePage(context, slice);
}

class SlicePage {
  #context;
  #slice;
  #asked = { version: -1, at: 0, took: 0 };
  #status = null;
  #plans = [];
  #rollouts = [];
  #functions = [];
  #said = "";
  #listed = LISTED;
  #done = 0;
  #order = { version: -1, at: 0, took: 0, counts: {}, hosts: [] };
  #events;

  constructor(context, slice) {
    this.#context = context;
    this.#slice = slice;
    this.#done = context.dialogs.done;
    this.title = slice;
    this.#events = new Events(context, slice, () => [`/org/dsmt/ns/deployment/${slice}/`]);
  }

  get #path() {
    return `/v1/slices/${encodeURIComponent(this.#slice)}`;
  }

  view() {
    const { fleet } = this.#context;
    const slice = fleet.slices.get(this.#slice);
    if (!slice) {
      this.#forget();
      return html`<h1>${this.#slice}</h1>
        <p>
          There is no slice of this name that you may look into. <a href=${to("slices")}>All slices</a>
        </p>`;
    }
    this.#refresh();
    const { counts, hosts } = this.#looked();
    return html`
      <div class="head">
        <h1>${slice.slice}</h1>
        ${slice.managed ? nothing : html`<span class="kind big out"><i aria-hidden="true"></i>not managed</span>`}
        <span class="space"></span>
        <a href="${to("fleet")}?slice=${encodeURIComponent(slice.slice)}">On the map</a>
        <a href="${to("charts")}?slice=${encodeURIComponent(slice.slice)}">Over time</a>
      </div>
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      ${this.#figures(counts)}
      <div class="columns">
        <section class="panel">${planning(this.#context, slice, this.#known)}</section>
        <section class="panel">
          <h2>Applications</h2>
          ${this.#applications(slice)}
        </section>
      </div>
      ${this.#rollouts.map((one) => this.#rollout(one))}
      <section class="panel">
        <h2>Hosts</h2>
        ${this.#hosts(hosts)}
      </section>
      <section class="panel">${this.#events.view()}</section>
    `;
  }

  /** A slice that is made anew under this name is another one. */
  #forget() {
    this.#status = null;
    this.#order.at = 0;
    this.#plans = this.#rollouts = [];
    this.#asked = { version: -1, at: 0, took: 0 };
  }

  get #known() {
    return { status: this.#status, plans: this.#plans, functions: this.#functions };
  }

  #figures(counts) {
    const status = this.#status;
    const figures = status
      ? [
          ["wanted", status.wanted],
          ["running", status.running],
          ["failed", status.failed],
          ["waiting", status.waiting],
          ["missing", status.missing],
        ]
      : [];
    return html`<section class="panel figures" aria-label="Status">
      <dl>
        ${figures.map(
          ([name, number]) =>
            html`<div class="${name} ${number ? "" : "none"}">
              <dt>${name}</dt>
              <dd>${number.toLocaleString("en")}</dd>
            </div>`,
        )}
      </dl>
      ${bar({ ...counts, waiting: (counts.waiting ?? 0) + (status?.missing ?? 0) })}
      ${
        status?.waiting_reasons.length
          ? html`<ul class="reasons">
                ${status.waiting_reasons.slice(0, 8).map((one) => html`<li>${one}</li>`)}
              </ul>
              ${status.waiting_reasons.length > 8 ? html`<p class="quiet">and ${status.waiting_reasons.length - 8} more</p>` : nothing}`
          : nothing
      }
    </section>`;
  }

  #applications(slice) {
    const { session, dialogs, fleet } = this.#context;
    const mine = fleet.mayChange(slice.slice);
    if (!slice.applications.length)
      return html`<p class="quiet">None yet: dsmtc depot put FILE brings one.</p>`;
    const ask = (verb, name) =>
      dialogs.ask(run(session, fleet, verb, { slice: slice.slice, application: name }));
    return html`<ul class="plainlist">
      ${slice.applications.map(
        (one) =>
          html`<li class="application">
            <b>${one.name}</b>
            <span class="quiet">${one.version}</span
            >${one.run === "stopped" ? html` <span class="kind out"><i aria-hidden="true"></i>stopped</span>` : nothing}
            ${
              mine
                ? html`<span class="acts" role="group" aria-label=${one.name}>
                    ${one.run === "stopped" ? html`<button @click=${() => ask("start", one.name)}>Start</button>` : html`<button class="grave" @click=${() => ask("stop", one.name)}>Stop</button>`}
                    <button class="grave" @click=${() => ask("restart", one.name)}>Restart</button>
                    <button @click=${() => this.#roll(one)}>Roll out …</button></span
                  >`
                : nothing
            }
          </li>`,
      )}
    </ul>`;
  }

  #rollout(one) {
    const { session, dialogs, fleet } = this.#context;
    const mine = fleet.mayChange(this.#slice);
    const deeds = !one.active
      ? []
      : one.phase === "paused"
        ? ["resume", "promote", "abort"]
        : ["pause", "promote", "abort"];
    const ask = (deed) => dialogs.ask(turnRollOut(session, this.#slice, one, deed));
    const button = (deed) =>
      html`<button class=${deed === "abort" ? "grave" : ""} @click=${() => ask(deed)}>
        ${capital(deed)}
      </button>`;
    return html`<section class="panel rollout" aria-label="Roll-out of ${one.application}">
      <h2>
        Roll-out of ${one.application} ${one.from_version} → ${one.version}
        <span class="kind ${one.active ? "waiting" : one.phase === "done" ? "fine" : "out"}"
          ><i aria-hidden="true"></i>${one.phase}</span
        >
        ${mine && deeds.length ? html`<span class="acts">${deeds.map(button)}</span>` : nothing}
      </h2>
      <p>
        <progress max=${one.hosts || 1} value=${one.new} aria-label="nodes with the new release"></progress>
        ${one.new} of ${count(one.hosts, "node")} have it, ${one.running} run it; wave ${one.wave} of
        ${one.waves.length} (${one.waves.join(", ")})
      </p>
      ${one.reason && !one.reason.endsWith(" started it") ? html`<p>${one.reason}</p>` : nothing}
      ${one.waits.map((reason) => html`<p class="quiet">${reason}</p>`)}
      ${one.awaited.length && one.active ? html`<p class="quiet">awaited: ${some(one.awaited)}</p>` : nothing}
      ${Object.entries(one.failed).map(([host, reason]) => html`<p class="refused"><a href=${to("node", host)}>${host}</a>: ${reason}</p>`)}
      <p class="quiet">
        begun ${ago(one.began_at, fleet.now)} by ${one.by} ·
        <a href=${to("rollout", this.#slice, one.application)}>host by host</a>
      </p>
    </section>`;
  }

  /** How many instances are of which kind, and the hosts, the worst first: of thousands counted seldom. */
  #looked() {
    const { fleet } = this.#context;
    const begun = performance.now();
    const { version, at, took } = this.#order;
    if (at && (version === fleet.version || begun - at < 20 * took)) return this.#order;
    const ranked = [...fleet.of(this.#slice)].map(([host]) => {
      const node = fleet.nodes.get(host);
      return [node ? RANK[fleet.verdict(node, this.#slice).kind] : RANK.unknown, host];
    });
    ranked.sort(([a, one], [b, other]) => a - b || (one < other ? -1 : 1));
    const found = { counts: shares(fleet, this.#slice), hosts: ranked.map(([, host]) => host) };
    this.#order = { ...found, version: fleet.version, at: begun, took: performance.now() - begun };
    return this.#order;
  }

  #hosts(hosts) {
    const { fleet } = this.#context;
    const rows = hosts
      .slice(0, this.#listed)
      .map((host) => ({ host, sliver: fleet.slivers(host).get(this.#slice), node: fleet.nodes.get(host) }))
      .filter(({ sliver }) => sliver);
    if (!rows.length) return html`<p class="quiet">It is on no node.</p>`;
    return html`<div class="scroll">
        <table class="slivers stacked">
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Container</th>
              <th scope="col">Agent</th>
              <th scope="col">Applications</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(
              rows,
              (row) => row.host,
              ({ host, sliver, node }) =>
                html`<tr>
                  <th scope="row">
                    <a href=${to("node", host)}>${host}</a
                    >${node && node.state !== "alive" ? html`<p class="why">the node is ${node.state}</p>` : nothing}${sliver.reason ? html`<p class="quiet">${sliver.reason}</p>` : nothing}
                  </th>
                  <td data-says="container">${layer(sliver.container, fleet.now, isLost(node))}</td>
                  <td data-says="agent">${layer(sliver.agent, fleet.now, isLost(node))}</td>
                  <td>
                    ${sliver.applications.map((one) => html`<div class="application">${application(one, fleet.now, isLost(node))}</div>`)}
                  </td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${hosts.length > this.#listed ? html`<button class="plain more" @click=${() => this.#more()}>Show ${Math.min(hosts.length - this.#listed, 5 * LISTED)} more</button>` : nothing}`;
  }

  #more() {
    this.#listed += 5 * LISTED;
    this.#context.changed();
  }

  async #roll({ name, version }) {
    const { session, dialogs } = this.#context;
    try {
      const packages = await session.get(`${this.#path}/packages`);
      const versions = [
        ...new Set(packages.filter((one) => one.application === name).map((one) => one.version)),
      ];
      dialogs.ask(
        rollOut(
          session,
          this.#slice,
          name,
          versions
            .filter((one) => one !== version)
            .concat(version)
            .filter(Boolean),
        ),
      );
    } catch (error) {
      dialogs.note(error.message, "refused");
    }
  }

  /** Ask for what the feed does not tell: soon after it told of something new, else every ten seconds. */
  async #refresh() {
    const { fleet, session, dialogs } = this.#context;
    // What was just done is asked for at once: the plans of a slice the feed does not tell.
    if (this.#done !== dialogs.done) this.#asked = { version: -1, at: 0, took: 0 };
    this.#done = dialogs.done;
    const version = fleet.versionOf(this.#slice);
    const begun = performance.now();
    const { at, took } = this.#asked;
    // What takes the planner long is asked for seldom.
    const pause = Math.max(PAUSE_MS, 20 * took) * (version === this.#asked.version ? 5 : 1);
    if (at && begun - at < pause) return;
    if (at && version !== this.#asked.version) this.#events.refresh();
    this.#asked = { version, at: begun, took };
    try {
      if (!this.#functions.length) this.#functions = await session.get("/v1/functions");
      [this.#status, this.#plans, this.#rollouts] = await Promise.all([
        session.get(`${this.#path}/status`),
        session.get(`${this.#path}/plans`),
        session.get(`${this.#path}/rollouts`),
      ]);
      this.#said = "";
    } catch (error) {
      this.#said = error.message;
    }
    this.#asked.took = performance.now() - begun;
    this.#context.changed();
  }
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);
