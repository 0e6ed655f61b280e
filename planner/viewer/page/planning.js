// The panel of a slice's plan: which is in force, those that the slice has, the disruption budget; and what
// can be done with them.

import { html, nothing } from "./html.js";
import { Catalogue, definePlan, deletePlan, setBudget, setPlan, writeParameters } from "./plans.js";
import { count } from "./words.js";

/**
 * @param context of the page.
 * @param slice as the feed tells it.
 * @param known {status, plans, functions}: as the API tells them; status: null until then.
 */
export function planning({ session, dialogs, fleet }, slice, { status, plans, functions }) {
  const catalogue = new Catalogue(plans, functions);
  const name = slice.slice;
  const mine = fleet.mayChange(name) && functions.length > 0 && status !== null;
  const inForce = { slice: name, plan: slice.plan, parameters: status?.plan_parameters ?? {} };
  const act = (word, make, kind = "") =>
    mine ? html`<button class=${kind} @click=${() => dialogs.ask(make())}>${word}</button>` : nothing;
  return html`
    <h2>
      Plan ${act("Set plan", () => setPlan(session, inForce, catalogue))}
      ${act("New plan", () => definePlan(session, name, catalogue))}
    </h2>
    <p>
      ${slice.plan ? html`<b>${slice.plan}</b> ${writeParameters(status?.plan_parameters)}` : html`<span class="quiet">none is in force: nothing is placed</span>`}
      <span class="quiet">· ${count(slice.hosts, "node")} · generation ${status?.generation ?? ""}</span>
    </p>
    <p>
      <span class="quiet">disruption budget</span> ${status?.budget?.budget ?? "as usual"}
      ${status?.budget ? act("Change budget", () => setBudget(session, name, status.budget), "plain") : nothing}
    </p>
    ${catalogue.own.length ? html`<h3>Plans of the slice</h3>` : nothing}
    <ul class="plainlist">
      ${catalogue.own.map(
        (one) =>
          html`<li class="plan">
            <b>${one.name}</b> <span class="quiet">${one.base} ${writeParameters(one.parameters)}</span>
            ${
              mine
                ? html`<span class="acts" role="group" aria-label="The plan ${one.name}">
                    ${act("Change", () => definePlan(session, name, catalogue, one), "plain")}
                    ${one.name === slice.plan ? nothing : act("Delete", () => deletePlan(session, name, one), "plain")}
                  </span>`
                : nothing
            }
          </li>`,
      )}
    </ul>
  `;
}
