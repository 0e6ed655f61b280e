// What can be done, each as a question for `Dialogs.ask`: what it would do, and the call that does it. The
// planner decides whether the reader may; what cannot be allowed anyway is not offered.

import { kindOfApplication } from "./verdicts.js";
import { count, some } from "./words.js";

const at = (slice, ...rest) => `/v1/slices/${[slice, ...rest].map(encodeURIComponent).join("/")}`;
const REASON = {
  name: "reason",
  label: "Why (for the others)",
  hint: "kept with the node and in the audit log",
};

/** Put a plan in force, with its preview. */
export function setPlan(session, { slice, plan, parameters }, plans, functions) {
  const own = plans.filter((one) => !one.builtin).map((one) => [one.name, one.name]);
  const options = [...own, ...functions.map((one) => [one.name, `${one.name} (function)`])];
  const asked = (values) => ({ plan: values.plan, parameters: readParameters(values.parameters) });
  return {
    title: `Set the plan of ${slice}`,
    verb: "Set plan",
    fields: [
      { name: "plan", label: "Plan", type: "select", value: plan || options[0][0], options },
      {
        name: "parameters",
        label: "Parameters",
        value: writeParameters(parameters),
        hint: (values) => takes(functions.find((one) => one.name === values.plan)),
      },
    ],
    typed: (name, values) => {
      if (name === "plan") values.parameters = values.plan === plan ? writeParameters(parameters) : "";
    },
    foresee: async (values) => foreseen(await session.post(`${at(slice, "plan")}/preview`, asked(values))),
    perform: async (values, index) => {
      const { motion } = await session.put(at(slice, "plan"), { ...asked(values), check_index: index });
      return `${slice} follows the plan ${values.plan}: ${moves(motion)}`;
    },
  };
}

/** What can be written as parameters, of a function or of a plan of the slice. */
function takes(of) {
  if (!of?.parameters.length) return "name=value, separated by spaces";
  return of.parameters.map((one) => `${one.name}=${one.takes}`).join("  ");
}

/** Start, stop or restart an application, everywhere or on one node. */
export function run(session, fleet, verb, { slice, application, host = "" }) {
  const placed = [...fleet.of(slice)].filter(([of, sliver]) => (!host || of === host) && sliver.wanted);
  const apps = placed.flatMap(([of, sliver]) =>
    sliver.applications.filter((one) => one.name === application).map((one) => [of, one]),
  );
  const running = apps.filter(([, one]) => one.state === "running").map(([of]) => of);
  const where = host ? `on ${host}` : "everywhere";
  const lines = {
    start: [
      `${application} is to run ${where}: ${count(apps.length - running.length, "instance")} begin, ${running.length} run already.`,
    ],
    stop: [
      `${count(running.length, "running instance")} of ${application} end: ${some(running) || "none"}.`,
      "It stays installed, and stays stopped until somebody starts it.",
    ],
    restart: [
      `${count(running.length, "running instance")} of ${application} end and begin anew: ${some(running) || "none"}.`,
      host
        ? "It is away for as long as it takes to start."
        : "All at the same time: the service is away meanwhile. A roll-out goes in waves.",
    ],
  }[verb];
  return {
    title: `${verb[0].toUpperCase()}${verb.slice(1)} ${application} of ${slice} ${where}`,
    verb: verb[0].toUpperCase() + verb.slice(1),
    danger: verb !== "start",
    foresee: async () => ({ lines }),
    perform: async () => {
      const done = await session.post(
        at(slice, "applications", application, verb),
        host ? { hosts: [host] } : {},
      );
      return done.changed
        ? `${verb} of ${application}: ordered on ${count(done.hosts.length, "node")}`
        : `${application} is so already; nothing changed`;
    },
  };
}

/** Start a roll-out, with its waves. */
export function rollOut(session, slice, application, versions) {
  const asked = ({ version, waves, min_healthy_s: healthy }) => ({
    version,
    waves: waves.split(/[\s,]+/).filter(Boolean),
    ...(healthy ? { min_healthy_s: Number(healthy) } : {}),
  });
  return {
    title: `Roll out ${application} in ${slice}`,
    verb: "Start roll-out",
    fields: [
      {
        name: "version",
        label: "Version",
        type: "select",
        value: versions[0] ?? "",
        options: versions.map((one) => [one, one]),
      },
      { name: "waves", label: "Waves", hint: "such as 1 10% 100%; empty: as usual" },
      {
        name: "min_healthy_s",
        label: "Seconds healthy before the next",
        type: "number",
        hint: "empty: as usual",
      },
    ],
    foresee: async (values) => {
      const found = await session.post(at(slice, "rollouts", application), {
        ...asked(values),
        dry_run: true,
      });
      const hosts = found.waves.flatMap((wave) => wave.hosts.map((host) => [wave.wave, host]));
      return {
        index: found.index,
        lines: [
          hosts.length
            ? `${count(hosts.length, "node")} get ${found.version} instead of ${found.from_version}, in ${count(found.waves.length, "wave")}.`
            : "Every node has this release already.",
          ...found.changes,
        ],
        table: { head: ["Wave", "Node"], rows: hosts },
        blocked: !hosts.length,
      };
    },
    perform: async (values, index) => {
      const begun = await session.post(at(slice, "rollouts", application), {
        ...asked(values),
        check_index: index,
      });
      return `the roll-out of ${application} ${begun.version} has begun`;
    },
  };
}

const DEEDS = {
  pause: ["Pause", "No further node is told the new release; those that have it keep it."],
  resume: ["Resume", "It goes on where it was paused."],
  promote: ["Promote", "The next wave begins now, without waiting for this one to prove well."],
  abort: ["Abort", "It ends where it stands: each node keeps what it has."],
};

/** Pause, resume, promote or abort a roll-out. */
export function turnRollOut(session, slice, rollout, deed) {
  const { application, version, from_version: before } = rollout;
  const [verb, means] = DEEDS[deed];
  const fields = {
    promote: [{ name: "all", label: "To all nodes at once", type: "checkbox", value: false }],
    abort: [{ name: "back", label: `Go back to ${before} everywhere`, type: "checkbox", value: true }],
  }[deed];
  return {
    title: `${verb} the roll-out of ${application} ${version}`,
    verb,
    danger: deed === "abort" || deed === "promote",
    fields,
    foresee: async ({ back, all }) => ({
      lines: [
        back
          ? `The nodes that have ${version} get ${before} again.`
          : all
            ? `Every node that is left gets ${version} now; no wave waits for another.`
            : means,
        `Until now ${rollout.new} of ${count(rollout.hosts, "node")} have ${version}.`,
      ],
    }),
    perform: async ({ back = false, all = false }) => {
      const now = await session.post(at(slice, "rollouts", application, deed), { back, all });
      return `the roll-out of ${application}: ${now.phase}`;
    },
  };
}

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
export function standingVerbs({ standing, cordoned, excluded, drain, distrusted }) {
  void standing;
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
  return {
    title: `${word}: ${host}`,
    verb: word,
    danger,
    fields: /^(un|cancel|include|trust)/.test(verb) ? [] : fields,
    foresee: async (values) => {
      // The planner refuses here already whoever may not.
      await session.post(`/v1/standings/${verb}`, {
        hosts: [host],
        reason: values.reason ?? "",
        dry_run: true,
      });
      const here = [...fleet.slivers(host).values()].filter((one) => one.wanted);
      const apps = here.flatMap((one) =>
        one.applications
          .filter((app) => kindOfApplication(app) === "fine")
          .map((app) => `${app.name} (${one.slice})`),
      );
      // The planner does neither without a reason.
      const lacks = (verb === "exclude" || verb === "distrust") && !values.reason.trim();
      return {
        blocked: lacks,
        lines: [
          ...(lacks ? ["First say why."] : []),
          means,
          apps.length
            ? `${count(apps.length, "application")} of the slices that you may see ${apps.length === 1 ? "runs" : "run"} there: ${some(apps)}.`
            : "No application of the slices that you may see runs there.",
        ],
      };
    },
    perform: async ({ reason = "", at_once: once = false, minutes = "" }) => {
      const body = {
        hosts: [host],
        reason,
        at_once: once,
        ...(minutes ? { deadline_s: Number(minutes) * 60 } : {}),
      };
      const [said] = await session.post(`/v1/standings/${verb}`, body);
      return `${host}: ${said.standing.sentence || "in service"}`;
    },
  };
}

function foreseen(found) {
  const { touched, waiting, missing, stay, index } = found;
  const lines = [
    touched.length
      ? `${moves(found)}; ${count(stay, "node")} keep what they have.`
      : `Nothing moves: ${count(stay, "node")} keep what they have.`,
  ];
  if (missing) lines.push(`The plan asks for ${missing} more than it finds.`);
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

/** `count=3 expr="a > b"` as an object; what has no equals sign is refused by the planner, with its place. */
export function readParameters(text) {
  const found = {};
  for (const [, name, quoted, bare] of (text ?? "").matchAll(
    /([^\s=]+)(?:=(?:("(?:[^"\\]|\\.)*")|(\S*)))?/g,
  )) {
    let value = bare ?? "";
    if (quoted !== undefined) {
      try {
        value = JSON.parse(quoted);
      } catch {
        value = quoted;
      }
    }
    found[name] = value;
  }
  return found;
}
