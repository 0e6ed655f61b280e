// Nodes taken out of service and given back, each as a question for `Dialogs.ask`.

import { kindOfApplication } from "./verdicts.js";
import { count, some } from "./words.js";

const REASON = {
  name: "reason",
  label: "Why (for the others)",
  hint: "kept with the node and in the audit log",
};

const STANDINGS = {
  cordon: { verb: "Cordon", means: "Nothing new is placed there. What runs there stays." },
  uncordon: { verb: "End the cordon", means: "Plans may place there again." },
  drain: {
    verb: "Drain",
    danger: true,
    means:
      "Nothing new is placed there, and what runs there moves away, as far as the budgets of the slices allow.",
  },
  "cancel-drain": {
    verb: "End the drain",
    means: "Plans may place there again; what has moved away does not come back by itself.",
  },
  exclude: {
    verb: "Exclude",
    danger: true,
    means: "It is in no plan: what runs there leaves, and is placed elsewhere where the plan finds a node.",
  },
  include: { verb: "Include", means: "Plans may place there again." },
  distrust: {
    verb: "Call it broken",
    danger: true,
    means: "It counts as failed until somebody trusts it again: what runs there is replaced elsewhere.",
  },
  trust: {
    verb: "Trust it again",
    means: "It is judged by its heartbeats again, and has to prove itself.",
  },
};

/** The verbs that make sense for a node as it stands. */
export function standingVerbs({ cordoned, excluded, drain, distrusted }) {
  return [
    cordoned ? "uncordon" : "cordon",
    drain ? "cancel-drain" : "drain",
    excluded ? "include" : "exclude",
    distrusted ? "trust" : "distrust",
  ];
}

export const standingWord = (verb) => STANDINGS[verb].verb;
export const isGrave = (verb) => Boolean(STANDINGS[verb].danger);

/** Take a node out of service, or give it back. */
export function stand(session, fleet, verb, host) {
  const { verb: word, danger, means } = STANDINGS[verb];
  const fields = [REASON];
  if (verb === "exclude")
    fields.push({
      name: "at_once",
      label: "At once, whatever the budgets say",
      type: "checkbox",
      value: false,
    });
  if (verb === "drain")
    fields.push({ name: "minutes", label: "Within minutes", type: "number", hint: "empty: any time" });
  const asked = ({ reason = "", at_once: once = false, minutes = "" }) => ({
    hosts: [host],
    reason,
    at_once: once,
    ...(minutes ? { deadline_s: Number(minutes) * 60 } : {}),
  });
  return {
    title: `${word}: ${host}`,
    verb: word,
    danger,
    fields: /^(un|cancel|include|trust)/.test(verb) ? [] : fields,
    foresee: async (values) => {
      // The planner does neither without a reason.
      const lacks = (verb === "exclude" || verb === "distrust") && !values.reason.trim();
      if (lacks) return { blocked: true, lines: ["First say why.", means] };
      // The planner refuses here already whoever may not, and what is not legal.
      await session.post(`/v1/standings/${verb}`, { ...asked(values), dry_run: true });
      return { lines: () => [means, inhabited(fleet, host)] };
    },
    perform: async (values) => {
      const [said] = await session.post(`/v1/standings/${verb}`, asked(values));
      return `${host}: ${said.standing.sentence || "in service"}`;
    },
  };
}

function inhabited(fleet, host) {
  const here = [...fleet.slivers(host).values()].filter((one) => one.wanted);
  const apps = here.flatMap((one) =>
    one.applications
      .filter((app) => kindOfApplication(app) === "fine")
      .map((app) => `${app.name} (${one.slice})`),
  );
  const run = apps.length === 1 ? "runs" : "run";
  return apps.length
    ? `${count(apps.length, "application")} of the slices that you may see ${run} there: ${some(apps)}.`
    : "No application of the slices that you may see runs there.";
}
