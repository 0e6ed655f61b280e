// Nodes on the map, those close to each other as one circle that shows the shares of its kinds.

import { colour } from "./theme.js";
import { KINDS, RANK } from "./verdicts.js";
import { count } from "./words.js";

const CELL = 26;

/** Nodes by where they would be drawn, so that no circle covers another; each with how many of each kind. */
export function gather(nodes, at, width, height) {
  const found = new Map();
  for (const node of nodes) {
    if (node.latitude === null || node.longitude === null) continue;
    const [x, y] = at(node.longitude, node.latitude);
    if (x < -40 || y < -40 || x > width + 40 || y > height + 40) continue;
    const id = Math.floor(x / CELL) * 100_000 + Math.floor(y / CELL);
    let spot = found.get(id);
    if (!spot) found.set(id, (spot = { id, x: 0, y: 0, nodes: [], kinds: {}, kind: "idle" }));
    spot.x += x;
    spot.y += y;
    spot.nodes.push(node);
    const { kind } = node.judged;
    spot.kinds[kind] = (spot.kinds[kind] ?? 0) + 1;
    if (RANK[kind] < RANK[spot.kind]) spot.kind = kind;
  }
  const spots = [...found.values()];
  for (const spot of spots) {
    spot.x /= spot.nodes.length;
    spot.y /= spot.nodes.length;
    spot.radius = radiusOf(spot);
  }
  // The worst on top.
  return joined(spots).sort((a, b) => RANK[b.kind] - RANK[a.kind]);
}

/** The largest circles take in those that they would cover. */
function joined(spots) {
  const kept = [];
  for (const spot of spots.sort((a, b) => b.nodes.length - a.nodes.length)) {
    const near = kept.find(
      (other) => Math.hypot(other.x - spot.x, other.y - spot.y) < other.radius + spot.radius + 3,
    );
    if (!near) {
      kept.push(spot);
      continue;
    }
    const share = spot.nodes.length / (near.nodes.length + spot.nodes.length);
    near.x += (spot.x - near.x) * share;
    near.y += (spot.y - near.y) * share;
    near.nodes = near.nodes.concat(spot.nodes);
    for (const [kind, number] of Object.entries(spot.kinds))
      near.kinds[kind] = (near.kinds[kind] ?? 0) + number;
    if (RANK[spot.kind] < RANK[near.kind]) near.kind = spot.kind;
    near.radius = radiusOf(near);
  }
  return kept;
}

const radiusOf = (spot) =>
  spot.nodes.length === 1 ? 5.5 : Math.min(7 + Math.log2(spot.nodes.length) * 1.5, 20);

export function drawSpot(context, spot, isHovered) {
  const total = spot.nodes.length;
  context.beginPath();
  context.arc(spot.x, spot.y, spot.radius + 1.5, 0, 2 * Math.PI);
  context.fillStyle = colour("panel");
  context.fill();
  let from = -Math.PI / 2;
  const shown = KINDS.filter(({ name }) => spot.kinds[name]);
  for (const { name } of shown) {
    // Of thousands one that failed still has to be seen.
    const share = shown.length === 1 ? 1 : Math.max(spot.kinds[name] / total, 0.09);
    const to = name === shown.at(-1).name ? 1.5 * Math.PI : from + share * 2 * Math.PI;
    context.beginPath();
    context.moveTo(spot.x, spot.y);
    context.arc(spot.x, spot.y, spot.radius, from, to);
    context.closePath();
    context.fillStyle = colour(name);
    context.fill();
    from = to;
  }
  if (spot.radius >= 8) {
    context.beginPath();
    context.arc(spot.x, spot.y, spot.radius - 4, 0, 2 * Math.PI);
    context.fillStyle = colour("panel");
    context.fill();
    context.font = `600 ${spot.radius > 13 ? 10 : 9}px ${colour("font")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = colour("ink");
    context.fillText(
      total > 999 ? `${Math.round(total / 100) / 10}k` : String(total),
      spot.x,
      spot.y + 0.5,
    );
    context.textAlign = "start";
  }
  // One that failed has a ring: not by colour alone.
  if (isHovered || (total === 1 && spot.kind === "failed")) {
    context.beginPath();
    context.arc(spot.x, spot.y, spot.radius + 3, 0, 2 * Math.PI);
    context.strokeStyle = isHovered ? colour("ink") : colour("failed");
    context.lineWidth = isHovered ? 2 : 1.5;
    context.stroke();
  }
}

/** The same, short: how many nodes there are stands in the circle. */
export function labelOf(spot) {
  const sites = new Set(spot.nodes.map((node) => node.site));
  return spot.nodes.length === 1 || sites.size === 1 ? nameOf(spot) : count(sites.size, "site");
}

/** What a circle is called: its one node, its one site, or how many of either. */
export function nameOf(spot) {
  if (spot.nodes.length === 1) return spot.nodes[0].host;
  const sites = new Set(spot.nodes.map((node) => node.site));
  return sites.size === 1 && !sites.has("")
    ? [...sites][0]
    : `${count(spot.nodes.length, "node")} at ${count(sites.size, "site")}`;
}

/** How many of each kind, in words, the worst first. */
export function sharesOf(spot) {
  return KINDS.filter(({ name }) => spot.kinds[name])
    .map(({ name, word }) => `${spot.kinds[name].toLocaleString("en")} ${word.toLowerCase()}`)
    .join(", ");
}
