// All slices that the reader may look into, those with something wrong first.

import { html, nothing, svg } from "../html.js";
import { to } from "../router.js";
import { kindOfApplication, KINDS, kindOfNode, RANK, worst } from "../verdicts.js";
import { count } from "../words.js";

export function open(context) {
  return { title: "Slices", view: () => view(context.fleet) };
}

/** How many instances of a slice are of each kind; without an application its slivers are what counts. */
export function shares(fleet, slice) {
  const counts = {};
  const add = (kind) => (counts[kind] = (counts[kind] ?? 0) + 1);
  for (const [host, sliver] of fleet.of(slice)) {
    if (!sliver.wanted) continue;
    const failed = kindOfNode(fleet.nodes.get(host)?.state) === "failed";
    if (!sliver.applications.length)
      add(failed ? "failed" : sliver.agent.state === "running" ? "fine" : "waiting");
    for (const one of sliver.applications) if (one.wanted) add(failed ? "failed" : kindOfApplication(one));
  }
  return counts;
}

/** The shares as a bar, and in words for who does not see it. */
export function bar(counts) {
  const total = Object.values(counts).reduce((sum, number) => sum + number, 0);
  const shown = KINDS.filter(({ name }) => counts[name]);
  const words = shown
    .map(({ name, word }) => `${counts[name].toLocaleString("en")} ${word.toLowerCase()}`)
    .join(", ");
  return html`<svg
    class="share"
    viewBox="0 0 100 8"
    preserveAspectRatio="none"
    role="img"
    aria-label=${words || "nothing is wanted"}
  >
    <title>${words || "nothing is wanted"}</title>
    ${bars(shown, counts, total)}
  </svg>`;
}

function bars(shown, counts, total) {
  let from = 0;
  return shown.map(({ name }) => {
    const width = (100 * counts[name]) / total;
    const x = from;
    from += width;
    return svg`<rect class=${name} x=${x} y="0" width=${width} height="8"></rect>`;
  });
}

function view(fleet) {
  const rows = [...fleet.slices.values()].map((slice) => ({ slice, counts: shares(fleet, slice.slice) }));
  rows.sort(
    (a, b) =>
      RANK[worst(Object.keys(a.counts))] - RANK[worst(Object.keys(b.counts))] ||
      (a.slice.slice < b.slice.slice ? -1 : 1),
  );
  return html`
    <h1>Slices</h1>
    ${rows.length ? nothing : html`<p class="quiet">There is no slice that you may look into: dsmtc create --slice NAME makes one.</p>`}
    ${
      rows.length
        ? html`<div class="panel scroll">
            <table class="slices stacked">
              <thead>
                <tr>
                  <th scope="col">Slice</th>
                  <th scope="col">Plan</th>
                  <th scope="col">Nodes</th>
                  <th scope="col">Instances</th>
                  <th scope="col">Applications</th>
                  <th scope="col">What is going on</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map((row) => line(row))}
              </tbody>
            </table>
          </div>`
        : nothing
    }
  `;
}

function line({ slice, counts }) {
  const active = slice.rollouts.filter((one) => one.active);
  return html`<tr>
    <th scope="row"><a href=${to("slice", slice.slice)}>${slice.slice}</a></th>
    <td data-says="plan">${slice.plan || html`<span class="quiet">none</span>`}</td>
    <td data-says="nodes">${slice.hosts.toLocaleString("en")}</td>
    <td>
      ${bar(counts)}<span class="quiet"
        >${["failed", "waiting", "fine"]
          .filter((kind) => counts[kind])
          .map((kind) => `${counts[kind].toLocaleString("en")} ${kind === "fine" ? "running" : kind}`)
          .join(", ")}</span
      >
    </td>
    <td>
      ${slice.applications.map((one) => html`<div>${one.name} <span class="quiet">${one.version}${one.run === "stopped" ? ", stopped" : ""}</span></div>`)}
    </td>
    <td class="what">
      ${slice.managed ? nothing : html`<p>not managed: no orders</p>`}
      ${active.map((one) => html`<p>rolling out ${one.application} ${one.version}: ${one.phase}, wave ${one.wave} of ${one.waves}</p>`)}
      ${slice.waiting.slice(0, 2).map(([reason, times]) => html`<p class="quiet">${reason}${times > 1 ? ` (${count(times, "time")})` : ""}</p>`)}
    </td>
  </tr>`;
}
