// What the colours mean, and the keys.

import { html } from "../html.js";
import { KINDS } from "../verdicts.js";

const KEYS = [
  ["/", "filter by name or site"],
  ["g then f", "the fleet"],
  ["g then s", "the slices"],
  ["g then t", "the fleet as it was"],
  ["g then c", "charts"],
  ["g then a", "availability"],
  ["space  ,  .", "on the page of time: play or pause, the change before, the next change"],
  ["+  −  0  arrows", "on the map: closer, farther, the whole world, move; two fingers do the same"],
  ["arrows, Page up and down, Enter", "on the grid: move, open the node"],
  ["Esc", "leave a dialog without doing anything"],
  ["?", "this page"],
];

export function open() {
  return {
    title: "Help",
    view: () => html`
      <h1>Help</h1>
      <div class="columns">
        <section class="panel">
          <h2>Colours</h2>
          <dl class="pairs kinds-explained">
            ${KINDS.map(
              ({ name, word, means }) =>
                html`<dt>
                    <span class="kind ${name}"><i aria-hidden="true"></i>${word}</span>
                  </dt>
                  <dd>${means}</dd>`,
            )}
          </dl>
        </section>
        <section class="panel">
          <h2>Keys</h2>
          <dl class="pairs">
            ${KEYS.map(
              ([keys, what]) =>
                html`<dt><kbd>${keys}</kbd></dt>
                  <dd>${what}</dd>`,
            )}
          </dl>
        </section>
      </div>
      <section class="panel">
        <h2>What this page is</h2>
        <p>
          DSMTViewer shows what the planner knows, live, and does what its API does, as you: what you may
          not do, the planner refuses, and what you do is in its audit log. <code>dsmtc</code> shows and
          does the same in a terminal.
        </p>
      </section>
    `,
  };
}
