// What can be done with plans and the disruption budget, each as a question for `Dialogs.ask`; and how the
// parameters of a plan are written.

import { at } from "./acts.js";
import { count } from "./words.js";

const OF = "of.";
const NAMED = "the name of a plan";
const LEGAL = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
// They hold more than a line.
const LONG = new Set(["expr", "query"]);

/**
 * The plans of a slice and the functions that there are.
 *
 * @param plans as GET …/plans gives them.
 * @param functions as GET /v1/functions gives them.
 */
export class Catalogue {
  constructor(plans, functions) {
    this.own = plans.filter((one) => !one.builtin);
    this.builtin = plans.filter((one) => one.builtin).map(({ name }) => name);
    this.functions = functions;
  }

  /** The function below a name, and the parameters that the plans on the way give. */
  below(name) {
    const given = {};
    let left = this.own.length + 1;
    for (let plan = this.#plan(name); plan && left; plan = this.#plan(name), left -= 1) {
      for (const [key, value] of Object.entries(plan.parameters)) given[key] ??= value;
      name = plan.base;
    }
    return { of: this.functions.find((one) => one.name === name), given };
  }

  /** What a plan can be made of, for a choice; without the plan itself. */
  choices(without = "") {
    const own = this.own.filter(({ name }) => name !== without).map(({ name }) => [name, name]);
    return [...own, ...this.functions.map(({ name }) => [name, `${name} (function)`])];
  }

  /** The fields for the parameters that a plan or function takes. */
  fields(name, without = "") {
    const { of, given } = this.below(name);
    const names = [...this.own.map((one) => one.name), ...this.builtin].filter((one) => one !== without);
    return (of?.parameters ?? []).map((one) => ({
      name: OF + one.name,
      label: one.name,
      type: LONG.has(one.name) ? "lines" : "text",
      options: one.takes.startsWith(NAMED) ? names : [],
      hint: takes(one, of, given[one.name]),
    }));
  }

  #plan(name) {
    return this.own.find((one) => one.name === name);
  }
}

function takes({ name, takes: said, default: usual }, of, given) {
  // dsmtc reads files, a page does not.
  const hints = [said.replace(/, from a file: .*/, "")];
  if (of.one_of.includes(name)) hints.push(`one of ${of.one_of.join(" and ")} is needed`);
  if (given !== undefined) hints.push(`empty: ${given}, as the plan has it`);
  else if (usual) hints.push(`empty: ${usual}`);
  return hints.join("; ");
}

const filled = (parameters) =>
  Object.fromEntries(Object.entries(parameters ?? {}).map(([name, value]) => [OF + name, value]));

/** What stands in the fields of the plan or function that is chosen. */
function parametersOf(catalogue, name, values) {
  const found = {};
  for (const field of catalogue.fields(name))
    if (values[field.name]) found[field.name.slice(OF.length)] = values[field.name];
  return found;
}

function turned(values, parameters) {
  for (const name of Object.keys(values)) if (name.startsWith(OF)) delete values[name];
  Object.assign(values, filled(parameters));
}

/** Put a plan in force, with its preview. */
export function setPlan(session, { slice, plan, parameters }, catalogue) {
  const options = catalogue.choices();
  const asked = (values) => ({
    plan: values.plan,
    parameters: parametersOf(catalogue, values.plan, values),
  });
  return {
    title: `Set the plan of ${slice}`,
    verb: "Set plan",
    values: { plan: plan || options[0][0], ...filled(parameters) },
    fields: ({ plan: chosen }) => [
      {
        name: "plan",
        label: "Plan",
        type: "select",
        options,
        hint: catalogue.functions.find(({ name }) => name === chosen)?.text,
      },
      ...catalogue.fields(chosen),
    ],
    typed: (name, values) => {
      if (name === "plan") turned(values, values.plan === plan ? parameters : {});
    },
    foresee: async (values) => foreseen(await session.post(`${at(slice, "plan")}/preview`, asked(values))),
    perform: async (values, index) => {
      const { motion } = await session.put(at(slice, "plan"), { ...asked(values), check_index: index });
      return `${slice} follows the plan ${values.plan}: ${moves(motion)}`;
    },
  };
}

/** Define a plan of the slice; `changed`: the one that is defined anew. */
export function definePlan(session, slice, catalogue, changed = null) {
  const options = catalogue.choices(changed?.name);
  const name = (values) => changed?.name ?? values.name.trim();
  const asked = (values) => ({
    base: values.base,
    parameters: parametersOf(catalogue, values.base, values),
  });
  return {
    title: changed ? `Change the plan ${changed.name} of ${slice}` : `A new plan of ${slice}`,
    verb: changed ? "Change plan" : "Define plan",
    values: { base: changed?.base ?? options[0][0], ...filled(changed?.parameters) },
    fields: ({ base }) => [
      ...(changed ? [] : [{ name: "name", label: "Name", hint: "letters, digits and . _ + -, and not the name of a function" }]),
      {
        name: "base",
        label: "Made of",
        type: "select",
        options,
        hint: catalogue.functions.find((one) => one.name === base)?.text,
      },
      ...catalogue.fields(base, changed?.name),
    ],
    typed: (field, values) => {
      if (field === "base") turned(values, values.base === changed?.base ? changed.parameters : {});
    },
    foresee: async (values) => {
      if (!name(values)) return { lines: ["First say how it is called."], blocked: true };
      // Such as `..`, which would be the address of something else.
      if (!LEGAL.test(name(values)))
        return { lines: ["A name is of letters, digits and . _ + -, and begins with none of . + -"], blocked: true };
      const found = foreseen(await session.post(at(slice, "plans", name(values), "preview"), asked(values)));
      const known = !changed && catalogue.own.some((one) => one.name === name(values));
      if (known) found.lines.unshift(`There is a plan ${name(values)} already: it is replaced.`);
      return found;
    },
    perform: async (values, index) => {
      const body = { ...asked(values), check_index: index };
      const { motion } = await session.put(at(slice, "plans", name(values)), body);
      return `the plan ${name(values)} is defined: ${moves(motion)}`;
    },
  };
}

/** Delete a plan of the slice. */
export function deletePlan(session, slice, { name, base, parameters }) {
  return {
    title: `Delete the plan ${name} of ${slice}`,
    verb: "Delete plan",
    danger: true,
    foresee: async () => ({
      lines: [
        `Its definition goes: ${base} ${writeParameters(parameters)}`,
        "Nothing moves: a plan that is in force, or of which another is made, is not deleted.",
      ],
    }),
    perform: async () => {
      await session.delete(at(slice, "plans", name));
      return `the plan ${name} is deleted`;
    },
  };
}

/** Choose the disruption budget of the slice. */
export function setBudget(session, slice, { budget, is_default: isDefault }) {
  return {
    title: `The disruption budget of ${slice}`,
    verb: "Set budget",
    fields: [
      {
        name: "budget",
        label: "Budget",
        value: isDefault ? "" : budget,
        hint: "keep 80%, keep 3, max-unavailable 10% or max-unavailable 1; empty: as usual",
      },
    ],
    foresee: async (values) => {
      const found = await session.post(`${at(slice, "budget")}/preview`, { budget: values.budget.trim() });
      return { lines: allowed(found) };
    },
    perform: async (values) => {
      const now = await session.put(at(slice, "budget"), { budget: values.budget.trim() });
      return `the budget of ${slice} is ${now.budget}`;
    },
  };
}

function allowed({ budget, is_default: isDefault, wanted, least, up, allowance, contradiction }) {
  const lines = [
    `${budget}${isDefault ? ", as usual" : ""}: of ${count(wanted, "node")} that are wanted, at least ${least} have to be up when the planner itself takes something down.`,
    `Now ${up} are up: ${allowance ? `${allowance} may be taken down` : "none may be taken down"}.`,
    "Failures and what people stop at once are not held back by it.",
  ];
  if (contradiction) lines.push(contradiction);
  return lines;
}

function foreseen(found) {
  const { touched, waiting, missing, stay, index } = found;
  const kept = stay === 1 ? "1 node keeps what it has." : `${count(stay, "node")} keep what they have.`;
  const lines = [touched.length ? `${moves(found)}; ${kept}` : `Nothing moves: ${kept}`];
  if (missing) lines.push(`The plan asks for ${count(missing, "node")} more than it finds.`);
  for (const one of waiting.slice(0, 5))
    lines.push(`Held back${one.host ? ` on ${one.host}` : ""}: ${one.reason}`);
  const rows = touched.map((one) => [
    one.does === "start" ? (one.replaces ? `starts, for ${one.replaces}` : "starts") : "stops",
    one.host,
    one.step === 1 ? "at once" : `step ${one.step}`,
    one.waits || one.reason,
  ]);
  return { lines, table: { head: ["", "Node", "When", "Why"], rows }, index };
}

function moves({ start, stop, move }) {
  const parts = [
    [start, "start"],
    [stop, "stop"],
    [move, "move"],
  ]
    .filter(([number]) => number)
    .map(([number, word]) => `${count(number, "node")} ${number === 1 ? `${word}s` : word}`);
  return parts.join(", ") || "nothing moves";
}

export function writeParameters(parameters) {
  return Object.entries(parameters ?? {})
    .map(([name, value]) => `${name}=${/\s|"/.test(value) ? JSON.stringify(value) : value}`)
    .join(" ");
}
