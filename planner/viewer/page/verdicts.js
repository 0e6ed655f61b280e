// How things are, in seven kinds, the worst first; and what is wrong, as sentences. Nothing here is drawn.

/** The kinds, the worst first; `word` for people, `means` for who asks. */
export const KINDS = [
  { name: "failed", word: "Failed", means: "the node, or something that is wanted on it, has failed" },
  {
    name: "suspect",
    word: "Suspect",
    means: "a heartbeat is missing, the node proves itself, or a part of DSMT there is not well",
  },
  { name: "waiting", word: "Waiting", means: "something that is wanted does not run yet" },
  { name: "unknown", word: "Unknown", means: "nothing was heard since the planner began to listen" },
  {
    name: "out",
    word: "Out of service",
    means: "people took it out: cordoned, draining, excluded, maintenance",
  },
  { name: "fine", word: "Fine", means: "everything that is wanted there runs" },
  { name: "idle", word: "Idle", means: "alive, and nothing is wanted there" },
];
export const RANK = Object.fromEntries(KINDS.map(({ name }, place) => [name, place]));

const OF_NODE = { failed: "failed", suspect: "suspect", probation: "suspect", unknown: "unknown" };
const OF_LAYER = {
  running: "fine",
  failed: "failed",
  undefined: "unknown",
  terminated: "out",
  requested: "waiting",
  instantiated: "waiting",
  initialized: "waiting",
  installed: "waiting",
};

export const kindOfNode = (state) => OF_NODE[state] ?? "fine";
export const kindOfLayer = (state) => OF_LAYER[state] ?? "unknown";

/** Whether what was heard last of a node's slivers may hold no more. */
export const isLost = (node) => !node || kindOfNode(node.state) === "failed" || node.state === "unknown";

/** Of an application: one that is to be stopped is as it should be when it does not run. */
export function kindOfApplication(one) {
  const kind = kindOfLayer(one.state);
  if (kind === "failed") return one.wanted ? kind : "out";
  if (!one.wanted) return "out";
  if (one.wanted === "stopped") return kind === "fine" ? "waiting" : "out";
  return kind === "fine" ? kind : "waiting";
}

/**
 * How a node is, with its slivers of the slices that are looked at.
 *
 * @returns kind, and problems: {kind, slice, layer, says, since}, the worst first.
 */
export function verdict(node, slivers) {
  const problems = [];
  const add = (kind, slice, layer, says, since) => problems.push({ kind, slice, layer, says, since });
  const own = kindOfNode(node.state);
  if (own === "failed" || own === "suspect") {
    const word = node.state === "probation" ? "back, and has to prove itself" : node.state;
    add(own, "", "node", node.reason || word, node.since);
  }
  for (const says of node.unwell) add("suspect", "", "container manager", says, 0);
  let wanted = 0;
  for (const sliver of slivers) {
    wanted += sliver.wanted ? 1 : 0;
    ofSliver(sliver, own, add);
  }
  problems.sort((a, b) => RANK[a.kind] - RANK[b.kind] || b.since - a.since);
  return { kind: overall(node, own, problems, wanted), problems };
}

function overall(node, own, problems, wanted) {
  if (problems.length && RANK[problems[0].kind] < RANK.unknown) return problems[0].kind;
  if (own === "unknown") return "unknown";
  if (node.standing) return "out";
  return wanted ? "fine" : "idle";
}

function ofSliver(sliver, own, add) {
  for (const says of sliver.unwell) add("suspect", sliver.slice, "agent", says, 0);
  // On a node that failed, or of which nothing is known, what was heard last is no problem of its own.
  if (!sliver.wanted || own === "failed" || own === "unknown") return;
  for (const layer of ["container", "agent"]) {
    const { state, reason, since } = sliver[layer];
    const kind = kindOfLayer(state);
    if (kind === "failed") add("failed", sliver.slice, layer, reason || "failed", since);
    else if (kind !== "fine")
      add("waiting", sliver.slice, layer, state === "undefined" ? "not there yet" : state, since);
  }
  for (const one of sliver.applications) {
    const kind = kindOfApplication(one);
    if (kind === "failed") add("failed", sliver.slice, one.name, one.reason || "failed", one.since);
    else if (kind === "waiting")
      add("waiting", sliver.slice, one.name, one.reason || waits(one), one.since);
  }
}

function waits(one) {
  if (one.wanted === "stopped") return "is to stop";
  return one.state === "undefined" ? "not there yet" : one.state;
}

/** The worst of some kinds; `idle` when there is none. */
export function worst(kinds) {
  let found = "idle";
  for (const kind of kinds) if (RANK[kind] < RANK[found]) found = kind;
  return found;
}

/**
 * Problems that are the same on many nodes; numbers in what they say do not tell them apart.
 *
 * @returns {kind, slice, layer, says, hosts}, the worst and the most frequent first.
 */
export function groups(nodes) {
  const found = new Map();
  for (const { host, judged } of nodes) {
    const [first] = judged.problems;
    if (!first) continue;
    const key = [first.kind, first.slice, first.layer, first.says.replace(/\d+([.,]\d+)?/g, "#")].join(
      "\n",
    );
    if (!found.has(key))
      found.set(key, {
        key,
        kind: first.kind,
        slice: first.slice,
        layer: first.layer,
        says: first.says,
        hosts: [],
      });
    found.get(key).hosts.push(host);
  }
  return [...found.values()].sort((a, b) => RANK[a.kind] - RANK[b.kind] || b.hosts.length - a.hosts.length);
}
