// The bar above the fleet: by text, slice, plan and state; the states say how many there are.

import { Filter } from "./filters.js";
import { html, nothing } from "./html.js";
import { KINDS } from "./verdicts.js";

/**
 * @param filter a `Filter`.
 * @param around {counts, slices, plans}: how many of each kind, and what can be chosen
 *   (without plans: null);
 *   {set, toggle}: called with what changes of the filter, and with a kind.
 */
export function filterBar(filter, { counts, slices, plans, set, toggle }) {
  return html`
    <form class="filters" role="search" @submit=${(event) => event.preventDefault()}>
      <label class="search"
        ><span class="unseen">Filter by name or site</span>
        <input
          type="search"
          name="text"
          placeholder="Filter by name or site  ( / )"
          .value=${filter.text}
          @input=${(event) => set({ text: event.target.value })}
          spellcheck="false"
          autocomplete="off"
      /></label>
      <label
        ><span class="unseen">Slice</span>
        <select name="slice" @change=${(event) => set({ slice: event.target.value, plan: "" })}>
          <option value="">All slices</option>
          ${filter.slice && !slices.includes(filter.slice) ? html`<option value=${filter.slice} selected>${filter.slice} (not there)</option>` : nothing}
          ${slices.map((name) => html`<option value=${name} ?selected=${name === filter.slice}>${name}</option>`)}
        </select></label
      >
      ${filter.slice && plans ? planChoice(filter, plans, set) : nothing}
      <div class="kinds" role="group" aria-label="States">
        ${KINDS.map((kind) => kindButton(kind, counts[kind.name] ?? 0, filter.kinds.has(kind.name), toggle))}
      </div>
      ${filter.isOn ? html`<button type="button" class="plain" @click=${() => set(new Filter())}>Clear</button>` : nothing}
    </form>
  `;
}

function planChoice(filter, plans, set) {
  return html`<label
    ><span class="unseen">Plan</span>
    <select name="plan" @change=${(event) => set({ plan: event.target.value })}>
      <option value="">Any plan</option>
      ${plans.map((name) => html`<option value=${name} ?selected=${name === filter.plan}>in plan ${name}</option>`)}
    </select></label
  >`;
}

function kindButton({ name, word, means }, number, isOn, toggle) {
  return html`<button
    type="button"
    class="kind ${name} ${number ? "" : "none"}"
    aria-pressed=${isOn ? "true" : "false"}
    title=${means}
    @click=${() => toggle(name)}
  >
    <i aria-hidden="true"></i>${word} <b>${number.toLocaleString("en")}</b>
  </button>`;
}
