// What was said about a node or a slice, lately or (asked for) in the last day; a table, the newest first.

import { html, nothing, repeat } from "./html.js";
import { iso, moment } from "./words.js";

const MOST = 300;
const DAY = "24h";
// Whose page it is stands above it.
const HOST = /(^|,)hostname=[^,]*,?/;

export class Events {
  #context;
  #channels;
  #found = null;
  #said = "";
  #deep = false;
  #asking = false;

  /** @param channels a function that gives the channels to listen to: {channel, passes(event)}. */
  constructor(context, channels) {
    this.#context = context;
    this.#channels = channels;
    this.refresh();
  }

  /** Ask anew; calls while one is under way are one. */
  async refresh() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const found = await Promise.all(this.#channels().map((one) => this.#of(one)));
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
  }

  view() {
    return html`
      <h2>
        Events
        <button class="plain" @click=${() => this.refresh()}>Refresh</button>
        ${this.#deep ? nothing : html`<button class="plain" @click=${() => this.#deepen()}>The last 24 hours</button>`}
      </h2>
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      ${this.#found === null ? html`<p class="quiet">…</p>` : nothing}
      ${this.#found?.length === 0 ? html`<p class="quiet">Nothing was said ${this.#deep ? "in the last 24 hours" : "lately"}.</p>` : nothing}
      ${
        this.#found?.length
          ? html`<div class="scroll tall">
              <table class="events">
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Who</th>
                    <th scope="col">What</th>
                  </tr>
                </thead>
                <tbody>
                  ${repeat(this.#found, (event) => event.id, row)}
                </tbody>
              </table>
            </div>`
          : nothing
      }
    `;
  }

  async #of({ channel, passes = () => true }) {
    const query = new URLSearchParams({
      channel,
      ...(this.#deep ? { since: DAY } : { count: String(MOST) }),
    });
    const found = [];
    for await (const event of this.#context.session.lines(`/v1/events?${query}`)) {
      if (event.channel && passes(event)) found.push(event);
      if (found.length > 4 * MOST) found.splice(0, MOST);
    }
    return found;
  }

  #deepen() {
    this.#deep = true;
    this.refresh();
  }
}

function row(event) {
  const words = event.channel.split("/").filter(Boolean);
  const who = event.channel.startsWith("/org/dsmt/ns/deployment/") ? words.slice(4, 6) : words.slice(5);
  return html`<tr>
    <td class="since"><time datetime=${iso(event.sent_at)}>${moment(event.sent_at)}</time></td>
    <td class="quiet">${who.join(" ").replace("org.dsmt.component.", "")}</td>
    <td class="what">
      ${event.field === "deployment-status" ? nothing : html`<b>${event.field}</b> `}${event.value.replace(HOST, "")}
    </td>
  </tr>`;
}
