// What an application prints on one node, as it comes; text, whatever it holds.

import { html, nothing } from "./html.js";

import { cut } from "./words.js";

const KEPT = 1000;
// Characters, of a line and of all.
const LONGEST = 4_000;
const MOST = 400_000;

export class Logs {
  #context;
  #of = null;
  #lines = [];
  #size = 0;
  #said = "";
  #ending = null;

  constructor(context) {
    this.#context = context;
  }

  get of() {
    return this.#of;
  }

  async follow(slice, application, host) {
    this.close();
    const ending = (this.#ending = new AbortController());
    this.#of = { slice, application, host };
    this.#lines = [];
    this.#size = 0;
    this.#said = "";
    const query = new URLSearchParams({ at: host, lines: "200", follow: "true" });
    const path = `/v1/slices/${encodeURIComponent(slice)}/applications/${encodeURIComponent(application)}/logs?${query}`;
    this.#context.changed();
    try {
      for await (const line of this.#context.session.lines(path, ending.signal)) {
        this.#add(line.trouble ? `— ${line.trouble}` : (line.text ?? ""));
        this.#context.changed();
      }
      this.#said = "it says nothing more";
    } catch (error) {
      if (!ending.signal.aborted) this.#said = error.message;
    }
    this.#context.changed();
  }

  close() {
    this.#ending?.abort();
    this.#ending = null;
    this.#of = null;
  }

  #add(text) {
    const line = cut(text, LONGEST);
    this.#lines.push(line);
    this.#size += line.length;
    while (this.#lines.length > KEPT || this.#size > MOST) this.#size -= this.#lines.shift().length;
  }

  view() {
    if (!this.#of) return nothing;
    const { slice, application, host } = this.#of;
    return html`
      <section class="panel" aria-label="Log">
        <h2>
          ${application} of ${slice} on ${host}
          <button class="plain" @click=${() => this.#leave()}>Close</button>
        </h2>
        <pre class="log" tabindex="0" role="log" aria-label="What ${application} prints">
${this.#lines.join("\n") || "nothing yet"}</pre>
        ${
          this.#said
            ? html`<p class="quiet" role="status">
                ${this.#said}
                <button class="plain" @click=${() => this.follow(slice, application, host)}>Read again</button>
              </p>`
            : nothing
        }
      </section>
    `;
  }

  drawn(root) {
    const log = root.querySelector("pre.log");
    // Follow the end, unless the reader looks farther up.
    if (log && log.scrollHeight - log.scrollTop - log.clientHeight < 120) log.scrollTop = log.scrollHeight;
  }

  #leave() {
    this.close();
    this.#context.changed();
  }
}
