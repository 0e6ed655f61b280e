// Nothing is done by a single click: each act is shown with its consequences and confirmed; then it is said
// what became of it. The browser's own dialog keeps the keyboard inside, and Escape leaves it.

import { html, nothing } from "./html.js";

const SHOWN_MS = 8_000;

export class Dialogs {
  /** How many acts were done: a page asks anew for what one may have changed. */
  done = 0;
  #changed;
  #asked = null;
  #notes = [];

  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * Ask before something is done.
   *
   * @param act {title, verb, danger?, fields?, foresee?, perform}
   *   fields: [{name, label, type?, value?, options?, hint?}], which the reader fills in, or a function of all
   *     values that gives them; type: text, lines (of text), select, checkbox, number
   *   values: to begin with, where no field says so
   *   foresee(values): a promise of {lines, table?, index?, blocked?}: what it would do; it may refuse; lines are
   *     texts, or a function that gives those of now
   *   typed(name, values): after the reader has changed one value; may change others
   *   perform(values, index): a promise of a sentence that says what was done
   */
  ask(act) {
    const values = { ...act.values };
    this.#asked = { act, values, foreseen: null, error: null, meanwhile: "", busy: false, turn: 0 };
    for (const one of fieldsOf(act, values)) values[one.name] ??= one.value ?? "";
    this.#foresee();
  }

  close() {
    this.#asked = null;
    this.#changed();
  }

  /** The reader has logged in anew: what was asked is still asked. */
  again() {
    if (this.#asked) this.#foresee();
  }

  /** Say something for a few seconds. */
  note(text, kind = "done") {
    const note = { text, kind };
    this.#notes.push(note);
    setTimeout(() => {
      this.#notes = this.#notes.filter((one) => one !== note);
      this.#changed();
    }, SHOWN_MS);
    this.#changed();
  }

  view() {
    const asked = this.#asked;
    return html`
      <dialog
        class="ask"
        aria-labelledby="ask-title"
        @cancel=${() => this.close()}
        @close=${() => this.#asked && this.close()}
      >
        ${asked ? this.#form(asked) : nothing}
      </dialog>
      <div class="notes" role="status">
        ${this.#notes.map((note) => html`<p class=${note.kind}>${note.text}</p>`)}
      </div>
    `;
  }

  drawn(root) {
    const dialog = root.querySelector("dialog.ask");
    if (!dialog) return;
    if (this.#asked && !dialog.open) dialog.showModal();
    if (!this.#asked && dialog.open) dialog.close();
  }

  #form(asked) {
    const { act, foreseen, error, busy } = asked;
    return html`
      <form @submit=${(event) => this.#perform(event)} @input=${(event) => this.#typed(event)}>
        <h2 id="ask-title">${act.title}</h2>
        ${fieldsOf(act, asked.values).map((field) => this.#field(field, asked.values))}
        <div
          class="foreseen ${error && !foreseen ? "none" : ""}"
          aria-live="polite"
          aria-busy=${asked.looking ? "true" : "false"}
        >
          ${foreseen ? consequences(foreseen) : error ? nothing : html`<p class="quiet">Looking at what this would do …</p>`}
        </div>
        <div role="alert">
          ${asked.meanwhile ? html`<p class="refused">${asked.meanwhile}</p>` : nothing} ${error ? refusal(error) : nothing}
        </div>
        <footer>
          <button type="button" class="plain" @click=${() => this.close()}>Cancel</button>
          <button
            class=${act.danger ? "danger" : "primary"}
            ?disabled=${busy || !foreseen || foreseen.blocked}
          >
            ${busy ? "…" : act.verb}
          </button>
        </footer>
      </form>
    `;
  }

  #field(field, values) {
    const { name, label, type = "text", options = [] } = field;
    const said = typeof field.hint === "function" ? field.hint(values) : field.hint;
    const hint = said ? html`<small class="quiet" id="hint-${name}">${said}</small>` : nothing;
    const by = said ? `hint-${name}` : nothing;
    const value = values[name] ?? "";
    if (type === "checkbox")
      return html`<div class="field check">
        <label><input type="checkbox" name=${name} ?checked=${value} aria-describedby=${by} /> ${label}</label>${hint}
      </div>`;
    return html`<div class="field">
      <label for="ask-${name}">${label}</label>
      ${
        type === "select"
          ? html`<select id="ask-${name}" name=${name} aria-describedby=${by}>
              ${options.map(([of, word]) => html`<option value=${of} ?selected=${of === value}>${word}</option>`)}
            </select>`
          : type === "lines"
            ? html`<textarea
                id="ask-${name}"
                name=${name}
                rows="3"
                .value=${value}
                spellcheck="false"
                aria-describedby=${by}
              ></textarea>`
            : html`<input
                id="ask-${name}"
                name=${name}
                type=${type}
                .value=${value}
                list=${options.length ? `list-${name}` : nothing}
                spellcheck="false"
                autocomplete="off"
                aria-describedby=${by}
              />`
      }
      ${type === "text" && options.length ? html`<datalist id="list-${name}">${options.map((of) => html`<option value=${of}></option>`)}</datalist>` : nothing}
      ${hint}
    </div>`;
  }

  #typed(event) {
    const { name, type, checked, value } = event.target;
    if (!name || !this.#asked) return;
    this.#asked.values[name] = type === "checkbox" ? checked : value;
    this.#asked.meanwhile = "";
    this.#asked.act.typed?.(name, this.#asked.values);
    this.#foresee(300);
  }

  /** Ask anew what it would do; only the answer to the last question counts. */
  async #foresee(pause = 0) {
    const asked = this.#asked;
    const turn = (asked.turn += 1);
    asked.looking = true;
    if (pause) asked.foreseen = null;
    this.#changed();
    if (pause) await new Promise((done) => setTimeout(done, pause));
    if (turn !== asked.turn) return;
    try {
      const found = (await asked.act.foresee?.(asked.values)) ?? { lines: [] };
      if (turn !== asked.turn) return;
      asked.foreseen = found;
      asked.error = null;
    } catch (error) {
      if (turn !== asked.turn) return;
      asked.foreseen = null;
      asked.error = error;
    }
    asked.looking = false;
    this.#changed();
  }

  async #perform(event) {
    event.preventDefault();
    const asked = this.#asked;
    if (!asked?.foreseen || asked.busy) return;
    asked.busy = true;
    asked.error = null;
    asked.meanwhile = "";
    this.#changed();
    try {
      const said = await asked.act.perform(asked.values, asked.foreseen.index ?? "");
      this.done += 1;
      if (this.#asked === asked) this.#asked = null;
      this.note(said || `${asked.act.title}: done`);
    } catch (error) {
      asked.error = error;
      // Who has left the dialog is told, too.
      if (this.#asked !== asked) this.note(`${asked.act.title}: ${error.message}`, "refused");
      else if (error.code === "conflict") {
        // Most likely the world has changed meanwhile: look again, and say why.
        asked.meanwhile = error.message;
        this.#foresee(1);
      }
    }
    asked.busy = false;
    this.#changed();
  }
}

const fieldsOf = ({ fields = [] }, values) => (typeof fields === "function" ? fields(values) : fields);

function refusal({ message, hint, place }) {
  return html`<p class="refused">${message}</p>
    ${place ? html`<pre class="place">${place}</pre>` : nothing}
    ${hint ? html`<p class="quiet">${hint}</p>` : nothing}`;
}

function consequences({ lines, table }) {
  return html`
    <ul>
      ${(typeof lines === "function" ? lines() : lines).map((line) => html`<li>${line}</li>`)}
    </ul>
    ${
      table?.rows.length
        ? html`<div class="scroll" tabindex="0" role="region" aria-label="What would happen, host by host">
            <table>
              <thead>
                <tr>
                  ${table.head.map((word) => html`<th scope="col">${word}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${table.rows.slice(0, 200).map(
                  (row) =>
                    html`<tr>
                      ${row.map((cell) => html`<td>${cell}</td>`)}
                    </tr>`,
                )}
              </tbody>
            </table>
            ${table.rows.length > 200 ? html`<p class="quiet">and ${table.rows.length - 200} more</p>` : nothing}
          </div>`
        : nothing
    }
  `;
}
