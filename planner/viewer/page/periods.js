// How far back a report or a chart looks, and of what; a part of the address.

import { html, nothing } from "./html.js";

export const PERIODS = [
  { name: "15min", word: "the last 15 minutes", length: 900 },
  { name: "1h", word: "the last hour", length: 3_600 },
  { name: "6h", word: "the last 6 hours", length: 21_600 },
  { name: "1d", word: "the last day", length: 86_400 },
  { name: "7d", word: "the last 7 days", length: 604_800 },
  { name: "30d", word: "the last 30 days", length: 2_592_000 },
  { name: "90d", word: "the last 90 days", length: 7_776_000 },
];

/** The period that an address means; a day when it means none. */
export const periodOf = (query) => PERIODS.find(({ name }) => name === query.get("period")) ?? PERIODS[3];

/** A choice among values, with its name. */
export function select(name, label, values, chosen, set) {
  return html`<label
    >${label}
    <select name=${name} @change=${(event) => set(event.target.value)}>
      ${values.map(([value, word]) => html`<option value=${value} ?selected=${value === chosen}>${word}</option>`)}
    </select></label
  >`;
}

/**
 * The choices that charts and reports share.
 *
 * @param chosen {period, slice, application}; without application it is not offered.
 * @param set called with what changes.
 */
export function choices(fleet, chosen, set) {
  const slices = [...fleet.slices.keys()].sort();
  const applications = fleet.slices.get(chosen.slice)?.applications.map(({ name }) => name) ?? [];
  const period = (name) => set({ period: PERIODS.find((one) => one.name === name) });
  const one = (application) => set({ application });
  return html`${select("period", "Over", words(PERIODS), chosen.period.name, period)}
  ${select("slice", "of", [["", "all slices"], ...same(slices)], chosen.slice, (slice) => set({ slice, application: "" }))}
  ${
    chosen.application === undefined || !chosen.slice
      ? nothing
      : select("application", "application", [["", "all"], ...same(applications)], chosen.application, one)
  }`;
}

const same = (names) => names.map((name) => [name, name]);
const words = (values) => values.map(({ name, word }) => [name, word]);

/** The question of the API for a time that ends now. */
export function asked(now, { period, slice, application }, more = {}) {
  const query = new URLSearchParams({ since: now - period.length, until: now, ...more });
  if (slice) query.set("slice", slice);
  if (application) query.set("application", application);
  return query;
}
