// The way in: account and password, as dsmtc asks for them.

import { html, nothing } from "./html.js";

export class LogIn {
  #context;
  #begin;
  #busy = false;
  #said = null;
  #isReady = false;

  constructor(context, begin) {
    this.#context = context;
    this.#begin = begin;
    this.#said = context.ended ? { message: context.ended, hint: "" } : null;
  }

  drawn(root) {
    if (this.#isReady) return;
    this.#isReady = true;
    [...root.querySelectorAll("input")].find((one) => !one.value)?.focus();
  }

  view() {
    const was = this.#context.was ?? { account: "", role: "" };
    return html`
      <main class="login">
        <form @submit=${(event) => this.#submit(event)} aria-labelledby="login-title">
          <h1 id="login-title"><img src="icon.svg" alt="" width="28" height="28" /> DSMTViewer</h1>
          <p class="quiet">Log in with the account that dsmtc uses.</p>
          <label
            >Account
            <input
              name="account"
              type="text"
              autocomplete="username"
              required
              .value=${was.account}
              spellcheck="false"
              autocapitalize="off"
          /></label>
          <label
            >Password <input name="password" type="password" autocomplete="current-password" required
          /></label>
          <label
            >Role
            <select name="role">
              <option value="">the strongest that I have</option>
              ${["admin", "pi", "user", "tech"].map((role) => html`<option value=${role} ?selected=${role === was.role}>${role}</option>`)}
            </select>
          </label>
          <button class="primary" ?disabled=${this.#busy}>${this.#busy ? "…" : "Log in"}</button>
          <div role="alert" class="said">
            ${
              this.#said
                ? html`<p>${this.#said.message}</p>
                    ${this.#said.hint ? html`<p class="quiet">${this.#said.hint}</p>` : nothing}`
                : nothing
            }
          </div>
        </form>
      </main>
    `;
  }

  async #submit(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    this.#busy = true;
    this.#said = null;
    this.#context.changed();
    try {
      await this.#context.session.logIn(form.get("account"), form.get("password"), form.get("role"));
      this.#context.begin(form.get("account"), form.get("role"));
      this.#begin();
    } catch (error) {
      // The hint of the command line names its own verbs.
      this.#said = { message: error.message, hint: error.status === 401 ? "" : error.hint };
    } finally {
      this.#busy = false;
      this.#context.changed();
    }
  }
}
