// Nothing is done by a single click: each act is shown with its consequences and confirmed; then it is said
// what became of it. The browser's own dialog keeps the keyboard inside, and Escape leaves it.

import { html, nothing } from "./html.js";

const SHOWN_MS = 8_000;

export class Dialogs {
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
   *   fields: [{name, label, type, value?, options?, hint?}], which the reader fills in; a hint is a text, or a
   *     function of all values
   *   foresee(values): a promise of {lines, table?, index?}: what it would do; it may refuse
   *   typed(name, values): after the reader has changed one value; may change others
   *   perform(values, index): a promise of a sentence that says what was done
   */
  ask(act) {
    this.#asked = {
      act,
      values: Object.fromEntries((act.fields ?? []).map((one) => [one.name, one.value ?? ""])),
      foreseen: null,
      error: null,
      busy: false,
      turn: 0,
    };
    this.#foresee();
  }

  close() {
    this.#asked = null;
    this.#changed();
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
        ${(act.fields ?? []).map((field) => this.#field(field, asked.values))}
        <div class="foreseen" aria-live="polite" aria-busy=${asked.looking ? "true" : "false"}>
          ${foreseen ? consequences(foreseen) : error ? nothing : html`<p class="quiet">Looking at what this would do …</p>`}
        </div>
        <div role="alert">
          ${
            error
              ? html`<p class="refused">${error.message}</p>
                  ${error.hint ? html`<p class="quiet">${error.hint}</p>` : nothing}`
              : nothing
          }
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
    if (field.type === "select") {
      return html`<label
        >${field.label}
        <select name=${field.name}>
          ${field.options.map(([value, word]) => html`<option value=${value} ?selected=${value === values[field.name]}>${word}</option>`)}</select
        >${hint(field, values)}</label
      >`;
    }
    if (field.type === "checkbox") {
      return html`<label class="check"
        ><input type="checkbox" name=${field.name} ?checked=${values[field.name]} />
        ${field.label}${hint(field, values)}</label
      >`;
    }
    return html`<label
      >${field.label}
      <input
        name=${field.name}
        type=${field.type ?? "text"}
        .value=${values[field.name]}
        spellcheck="false"
        autocomplete="off"
      />${hint(field, values)}</label
    >`;
  }

  #typed(event) {
    const { name, type, checked, value } = event.target;
    if (!name || !this.#asked) return;
    this.#asked.values[name] = type === "checkbox" ? checked : value;
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
    this.#changed();
    try {
      const said = await asked.act.perform(asked.values, asked.foreseen.index ?? "");
      if (this.#asked === asked) this.#asked = null;
      this.note(said || `${asked.act.title}: done`);
    } catch (error) {
      asked.error = error;
      // Most likely the world has changed meanwhile: look again.
      if (error.code === "conflict") this.#foresee(1);
    }
    asked.busy = false;
    this.#changed();
  }
}

function hint(field, values) {
  const said = typeof field.hint === "function" ? field.hint(values) : field.hint;
  return said ? html`<small class="quiet">${said}</small>` : nothing;
}

function consequences({ lines, table }) {
  return html`
    <ul>
      ${lines.map((line) => html`<li>${line}</li>`)}
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
