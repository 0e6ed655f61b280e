// What passed from one state to another, in words.

/** A change in words. */
export function changed({ slice, part, state, before = [""], reason }) {
  const [kind, name = ""] = part.split(":");
  if (kind === "planner")
    return state === "away" ? "the planner went away" : "the planner was there";
  if (kind === "wanted") return `${slice} · ${name}: ${state ? `wanted ${state}` : "no longer wanted"}`;
  if (kind === "version") return `${slice} · ${name}: ${state ? `has ${state}` : "has no version"}`;
  const what = part === "node" ? "" : `${slice} · ${name || kind}: `;
  const from = before[0] ? `${before[0]} → ` : "";
  return `${what}${from}${state || "gone"}${reason ? `: ${reason}` : ""}`;
}
