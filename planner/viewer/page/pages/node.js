// One node: how it is and why, what is on it, what it says of itself, and what can be done with it.

import { run } from "../acts.js";
import { Events } from "../events.js";
import { html, nothing } from "../html.js";
import { application, layer } from "../layers.js";
import { Logs } from "../logs.js";
import { to } from "../router.js";
import { isGrave, stand, standingVerbs, standingWord } from "../standings.js";
import { changed } from "../passages.js";
import { isLost, KINDS } from "../verdicts.js";
import { ago, iso, lasting, moment, span } from "../words.js";

const SLICES = "/org/dsmt/ns/deployment/";
// What is shown of what changed: so many, of so many seconds.
const CHANGES = 15;
const CHANGES_S = 86_400;
const COMPONENTS = ["sliver-mgr", "sliver-bootstrap", "deployment-agent"];

export function open(context, [host]) {
  return new NodePage(context, host);
}

class NodePage {
  #context;
  #host;
  #asked = { row: null, slices: "", at: 0 };
  #node = null;
  #changes = null;
  #said = "";
  #events;
  #logs;

  constructor(context, host) {
    this.#context = context;
    this.#host = host;
    this.title = host;
    this.#logs = new Logs(context);
    this.#events = new Events(context, host, () => this.#channels());
  }

  close() {
    this.#logs.close();
  }

  drawn(root) {
    this.#logs.drawn(root);
  }

  view() {
    const { fleet } = this.#context;
    const node = fleet.nodes.get(this.#host);
    this.#refresh(node);
    if (!node)
      return html`<h1>${this.#host}</h1>
        <p>No node of this name is known. <a href=${to("fleet")}>The fleet</a></p>`;
    const { kind, problems } = fleet.verdict(node);
    return html`
      <div class="head">
        <h1>${node.host}</h1>
        <span class="kind big ${kind}"
          ><i aria-hidden="true"></i>${KINDS.find(({ name }) => name === kind).word}</span
        >
        <span class="quiet">${node.site}</span>
        <span class="space"></span>
        ${this.#acts()}
      </div>
      ${
        problems.length
          ? html`<ul class="panel problems">
              ${problems.map((one) => problem(one, fleet.now))}
            </ul>`
          : nothing
      }
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      <section class="panel" aria-labelledby="slivers">
        <h2 id="slivers">Slivers</h2>
        ${this.#slivers(node)}
      </section>
      ${this.#logs.view()}
      <div class="columns">
        <section class="panel">${this.#judged(node)}</section>
        <section class="panel">
          <h2>Facts</h2>
          ${this.#facts()}
        </section>
      </div>
      <section class="panel" aria-labelledby="course">
        <h2 id="course">Course of the last day</h2>
        ${this.#changed()}
      </section>
      <section class="panel">${this.#events.view()}</section>
    `;
  }

  #acts() {
    const standing = this.#node?.standing;
    if (!standing || !this.#context.fleet.mayManage(this.#node)) return nothing;
    const { session, fleet, dialogs } = this.#context;
    return html`<span class="acts" role="group" aria-label="What can be done with the node">
      ${standingVerbs(standing).map((verb) => html`<button class=${isGrave(verb) ? "grave" : ""} @click=${() => dialogs.ask(stand(session, fleet, verb, this.#host))}>${standingWord(verb)}</button>`)}
    </span>`;
  }

  #slivers(node) {
    const { fleet, session, dialogs } = this.#context;
    const slivers = [...fleet.slivers(node.host).values()].sort((a, b) => (a.slice < b.slice ? -1 : 1));
    if (!slivers.length) return html`<p class="quiet">No slice that you may look into is here.</p>`;
    return html`<div class="scroll">
      <table class="slivers stacked">
        <thead>
          <tr>
            <th scope="col">Slice</th>
            <th scope="col">Container</th>
            <th scope="col">Agent</th>
            <th scope="col">Applications</th>
          </tr>
        </thead>
        <tbody>
          ${slivers.map(
            (sliver) =>
              html`<tr>
                <th scope="row">
                  <a href=${to("slice", sliver.slice)}>${sliver.slice}</a
                  >${sliver.reason ? html`<p class="quiet">${sliver.reason}</p>` : nothing}
                </th>
                <td data-says="container">${layer(sliver.container, fleet.now, isLost(node))}</td>
                <td data-says="agent">${layer(sliver.agent, fleet.now, isLost(node))}</td>
                <td>
                  ${sliver.applications.map(
                    (one) =>
                      html`<div class="application">
                        ${application(one, fleet.now, isLost(node))}
                        <span class="acts" role="group" aria-label="${one.name} of ${sliver.slice}"
                          ><button
                            class="plain"
                            @click=${() => this.#logs.follow(sliver.slice, one.name, node.host)}
                          >
                            Log
                          </button>
                          ${
                            fleet.mayChange(sliver.slice) && one.wanted
                              ? ["restart", one.wanted === "stopped" ? "start" : "stop"].map(
                                  (verb) =>
                                    html`<button
                                      class="plain"
                                      @click=${() => dialogs.ask(run(session, fleet, verb, { slice: sliver.slice, application: one.name, host: node.host }))}
                                    >
                                      ${capital(verb)}
                                    </button>`,
                                )
                              : nothing
                          }</span
                        >
                      </div>`,
                  )}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  #judged(node) {
    const { fleet } = this.#context;
    const known = this.#node;
    return html`<h2>State</h2>
      <dl class="pairs">
        <dt>Judged</dt>
        <dd>
          ${node.state}${node.since ? html` <time datetime=${iso(node.since)}>${lasting(node.since, fleet.now)}</time>` : nothing}
        </dd>
        ${
          known
            ? html` <dt>Heard</dt>
                <dd>
                  ${known.heard_at ? `${ago(known.heard_at, fleet.now)}, every ${span(known.period)}` : "never"}
                </dd>
                <dt>Failures</dt>
                <dd>${known.failures}</dd>
                <dt>Stands</dt>
                <dd>
                  ${known.standing.sentence || "in service"}${
                    known.standing.left.length
                      ? html`<ul>
                          ${known.standing.left.map((one) => html`<li>${one.slice}: ${one.reason}</li>`)}
                        </ul>`
                      : nothing
                  }
                </dd>`
            : nothing
        }
      </dl>
      <h3>Evidence</h3>
      ${
        known?.evidence.length
          ? html`<ol class="evidence">
              ${[...known.evidence].reverse().map(evidence)}
            </ol>`
          : html`<p class="quiet">Nothing speaks against it.</p>`
      }
      ${
        known?.misfits.length
          ? html`<h3>Left alone by</h3>
              <ul>
                ${known.misfits.map((one) => html`<li>${one.slice}: ${one.version} ${one.reason ?? ""}</li>`)}
              </ul>`
          : nothing
      }`;
  }

  #facts() {
    if (!this.#node) return html`<p class="quiet">…</p>`;
    const { facts, labels } = this.#node;
    const all = Object.entries({ ...facts, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1));
    return html`<dl class="pairs facts">
      ${all.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}${name in labels ? html` <span class="quiet">label</span>` : nothing}</dd>`,
      )}
    </dl>`;
  }

  #changed() {
    const found = this.#changes;
    if (!found?.length) return html`<p class="quiet">${found ? "Nothing." : "…"}</p>`;
    const latest = found.slice(-CHANGES).reverse();
    const more = found.length - latest.length;
    return html`<ol class="evidence">
        ${latest.map(
          ([at, , slice, part, state, reason]) =>
            html`<li>
              <a class="quiet" href="${to("time")}?at=${at}" title="The fleet as it was then"
                ><time datetime=${iso(at)}>${moment(at)}</time></a
              >
              ${part === "node" ? "node: " : ""}${changed({ slice, part, state, reason })}
            </li>`,
        )}
      </ol>
      ${more ? html`<p class="quiet">and ${more} before</p>` : nothing}`;
  }

  #channels() {
    const slices = [...this.#context.fleet.slivers(this.#host).keys()].slice(0, 8);
    return [
      `/org/dsmt/ns/node/${this.#host}/facts/`,
      ...slices.flatMap((slice) =>
        COMPONENTS.map((one) => `${SLICES}${slice}/org.dsmt.component.${one}/status/${this.#host}/`),
      ),
    ];
  }

  /** Ask for what the feed does not tell, when it tells that something is new; else every ten seconds. */
  async #refresh(node) {
    const slivers = this.#context.fleet.slivers(this.#host);
    const stamp = [...slivers.values()];
    const same =
      this.#asked.row === node &&
      this.#asked.slivers?.length === stamp.length &&
      stamp.every((one, place) => one === this.#asked.slivers[place]);
    const since = performance.now() - this.#asked.at;
    if (!node || (same && since < 10_000) || (this.#asked.at && since < 1_000)) return;
    this.#asked = { row: node, slivers: stamp, at: performance.now() };
    if (!same) this.#events.refresh();
    try {
      const { session, fleet } = this.#context;
      const host = encodeURIComponent(this.#host);
      const [known, past] = await Promise.all([
        session.get(`/v1/nodes/${host}`),
        session.get(`/v1/past/changes?host=${host}&since=${Math.max(fleet.now - CHANGES_S, 0)}`),
      ]);
      this.#node = known;
      this.#changes = past.changes;
      this.#said = "";
    } catch (error) {
      this.#said = error.message;
    }
    this.#context.changed();
  }
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

function problem(one, now) {
  const where = one.slice ? html`<a href=${to("slice", one.slice)}>${one.slice}</a> · ` : nothing;
  return html`<li class="problem ${one.kind}">
    <i aria-hidden="true"></i>
    <div>
      <p>
        ${where}${one.layer}${one.layer === "node" ? "" : ":"} ${one.says}
        <span class="quiet">${ago(one.since, now)}</span>
      </p>
    </div>
  </li>`;
}

function evidence({ what, when, times, by }) {
  return html`<li>
    <time class="quiet" datetime=${iso(when)}>${moment(when)}</time>
    ${what}${times > 1 ? ` (${times} times)` : ""}
    <span class="quiet">by ${by}</span>
  </li>`;
}
