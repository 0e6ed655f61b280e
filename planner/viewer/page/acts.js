// What can be done with applications, each as a question for `Dialogs.ask`: what it would do, and the call
// that does it. The planner decides whether the reader may; what cannot be allowed anyway is not offered.

import { count, some } from "./words.js";

/** The address of a part of a slice in the API. */
export const at = (slice, ...rest) => `/v1/slices/${[slice, ...rest].map(encodeURIComponent).join("/")}`;

/** Start, stop or restart an application, everywhere or on one node. */
export function run(session, fleet, verb, { slice, application, host = "" }) {
  const where = host ? `on ${host}` : "everywhere";
  return {
    title: `${verb[0].toUpperCase()}${verb.slice(1)} ${application} of ${slice} ${where}`,
    verb: verb[0].toUpperCase() + verb.slice(1),
    danger: verb !== "start",
    // Told anew with each picture: what runs changes while the reader thinks.
    foresee: async () => ({ lines: () => outlook(fleet, verb, { slice, application, host, where }) }),
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

function outlook(fleet, verb, { slice, application, host, where }) {
  const placed = [...fleet.of(slice)].filter(([of, sliver]) => (!host || of === host) && sliver.wanted);
  const apps = placed.flatMap(([of, sliver]) =>
    sliver.applications.filter((one) => one.name === application).map((one) => [of, one]),
  );
  const running = apps.filter(([, one]) => one.state === "running").map(([of]) => of);
  const ending = `${count(running.length, "running instance")} of ${application} ${running.length === 1 ? "ends" : "end"}`;
  return {
    start: [
      `${application} is to run ${where}: ${count(apps.length - running.length, "instance")} to begin, ${running.length} run already.`,
    ],
    stop: [
      `${ending}: ${some(running) || "none"}.`,
      "It stays installed, and stays stopped until somebody starts it.",
    ],
    restart: [
      `${ending} and ${running.length === 1 ? "begins" : "begin"} anew: ${some(running) || "none"}.`,
      host
        ? "It is away for as long as it takes to start."
        : "All at the same time: the service is away meanwhile. A roll-out goes in waves.",
    ],
  }[verb];
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
