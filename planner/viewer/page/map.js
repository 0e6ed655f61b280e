// The map: nodes where they are, those close to each other as one circle that shows the shares of its kinds.

import { colour } from "./theme.js";
import { KINDS, RANK } from "./verdicts.js";
import { count } from "./words.js";
import { land } from "./world.js";

const CELL = 26;
const MOST_ZOOM = 400;
const NAMES = 60;
const PAN = 60;
const WHOLE = { east: 8, north: 14, zoom: 0 };
// At least so many degrees are shown around a fleet that stands close together.
const LEAST_EAST = 30;
const LEAST_NORTH = 16;

export class WorldMap {
  #changed;
  #picked;
  #path = undefined;
  #view = { ...WHOLE };
  #isFitted = false;
  #spots = [];
  #hovered = null;
  #drag = null;
  #canvas = null;
  #drawn = "";

  /**
   * @param changed called when it has to be drawn again.
   * @param picked called with the nodes of the circle that the reader chose.
   */
  constructor(changed, picked) {
    this.#changed = changed;
    this.#picked = picked;
    land().then((path) => {
      this.#path = path;
      changed();
    });
  }

  get hasOutlines() {
    return this.#path !== null;
  }

  get hovered() {
    return this.#hovered;
  }

  /** Draw on a canvas; `key` tells whether anything has changed since. */
  draw(canvas, nodes, key) {
    this.#listen(canvas);
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.#fit(nodes, width, height);
    const now = [key, width, height, ratio, colour("panel"), JSON.stringify(this.#view), this.#hovered?.id, this.#path ? 1 : 0].join("|");
    if (now === this.#drawn) return;
    this.#drawn = now;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const scale = this.#scale(width, height);
    this.#drawLand(context, width, height, scale);
    this.#spots = gather(nodes, (east, north) => this.#at(east, north, width, height, scale), width, height);
    for (const spot of this.#spots) drawSpot(context, spot, spot.id === this.#hovered?.id);
    this.#drawNames(context, width, height);
  }

  zoomBy(factor, x = null, y = null) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const before = this.#degrees(x ?? width / 2, y ?? height / 2);
    this.#view.zoom = Math.min(Math.max(this.#view.zoom + Math.log2(factor), 0), Math.log2(MOST_ZOOM));
    const after = this.#degrees(x ?? width / 2, y ?? height / 2);
    this.#moveTo(this.#view.east + before.east - after.east, this.#view.north + before.north - after.north);
  }

  whole() {
    this.#view = { ...WHOLE };
    this.#changed();
  }

  /** At first: all that there is, and no more of the world than that needs. */
  #fit(nodes, width, height) {
    const placed = nodes.filter((node) => node.latitude !== null && node.longitude !== null);
    if (this.#isFitted || !placed.length) return;
    this.#isFitted = true;
    const [west, east] = ends(placed.map((node) => node.longitude));
    const [south, north] = ends(placed.map((node) => node.latitude));
    const across = Math.max((east - west) * 1.25, LEAST_EAST);
    const upright = Math.max((north - south) * 1.35, LEAST_NORTH);
    const zoom = Math.log2(Math.min(width / across, height / upright) / this.#scale(width, height));
    if (zoom > 0.2) this.#view = { east: (west + east) / 2, north: (south + north) / 2, zoom };
  }

  #scale(width, height) {
    // Without zoom the land that people live on fills the canvas.
    return Math.max(Math.min(width / 360, height / 145), 0.3) * 2 ** this.#view.zoom;
  }

  #at(east, north, width, height, scale) {
    return [width / 2 + (east - this.#view.east) * scale, height / 2 - (north - this.#view.north) * scale];
  }

  #degrees(x, y) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = this.#scale(width, height);
    return { east: this.#view.east + (x - width / 2) / scale, north: this.#view.north - (y - height / 2) / scale };
  }

  #moveTo(east, north) {
    this.#view.east = Math.min(Math.max(east, -180), 180);
    this.#view.north = Math.min(Math.max(north, -85), 85);
    this.#changed();
  }

  #drawLand(context, width, height, scale) {
    if (!this.#path) return;
    context.save();
    context.translate(width / 2 - this.#view.east * scale, height / 2 + this.#view.north * scale);
    context.scale(scale, scale);
    context.beginPath();
    context.rect(-180, -90, 360, 180);
    context.clip();
    context.fillStyle = colour("land");
    context.strokeStyle = colour("coast");
    context.lineWidth = 0.7 / scale;
    context.fill(this.#path, "evenodd");
    context.stroke(this.#path);
    context.restore();
  }

  /** Names of sites, where there is room for them. */
  #drawNames(context, width, height) {
    const near = this.#spots.filter((spot) => spot.x > 0 && spot.x < width && spot.y > 0 && spot.y < height);
    if (near.length > NAMES) return;
    context.font = `11px ${colour("font")}`;
    context.textBaseline = "middle";
    const taken = [];
    for (const spot of [...near].sort((a, b) => RANK[a.kind] - RANK[b.kind] || b.nodes.length - a.nodes.length)) {
      const text = nameOf(spot);
      const box = { x: spot.x + spot.radius + 5, y: spot.y - 7, w: context.measureText(text).width, h: 14 };
      if (box.x + box.w > width - 4) box.x = spot.x - spot.radius - 5 - box.w;
      if (taken.some((other) => box.x < other.x + other.w && other.x < box.x + box.w && box.y < other.y + other.h && other.y < box.y + box.h)) continue;
      taken.push(box);
      context.strokeStyle = colour("panel");
      context.lineWidth = 3;
      context.strokeText(text, box.x, spot.y);
      context.fillStyle = colour("ink");
      context.fillText(text, box.x, spot.y);
    }
  }

  #listen(canvas) {
    if (this.#canvas === canvas) return;
    this.#canvas = canvas;
    this.#drawn = "";
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(2 ** (-event.deltaY / 250), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#drag = { x: event.offsetX, y: event.offsetY, moved: false };
    });
    canvas.addEventListener("pointermove", (event) => this.#moved(event));
    canvas.addEventListener("pointerup", (event) => this.#released(event));
    canvas.addEventListener("pointercancel", () => (this.#drag = null));
    canvas.addEventListener("pointerleave", () => this.#hover(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #moved(event) {
    if (!this.#drag) return this.#hover(this.#spotAt(event.offsetX, event.offsetY));
    const [x, y] = [event.offsetX - this.#drag.x, event.offsetY - this.#drag.y];
    if (!this.#drag.moved && Math.hypot(x, y) < 4) return;
    const scale = this.#scale(this.#canvas.clientWidth, this.#canvas.clientHeight);
    this.#drag = { x: event.offsetX, y: event.offsetY, moved: true };
    this.#moveTo(this.#view.east - x / scale, this.#view.north + y / scale);
  }

  #released(event) {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag || drag.moved) return;
    const spot = this.#spotAt(event.offsetX, event.offsetY);
    this.#picked(spot ? spot.nodes : null);
  }

  #hover(spot) {
    if (spot?.id === this.#hovered?.id) return;
    this.#hovered = spot;
    this.#canvas.style.cursor = spot ? "pointer" : "grab";
    this.#changed();
  }

  #spotAt(x, y) {
    let best = null;
    for (const spot of this.#spots) {
      const away = Math.hypot(spot.x - x, spot.y - y) - spot.radius;
      if (away < 5 && (!best || away < best.away)) best = { away, spot };
    }
    return best?.spot ?? null;
  }

  #key(event) {
    const scale = this.#scale(this.#canvas.clientWidth, this.#canvas.clientHeight);
    const { east, north } = this.#view;
    const moves = {
      "+": () => this.zoomBy(1.5),
      "=": () => this.zoomBy(1.5),
      "-": () => this.zoomBy(1 / 1.5),
      0: () => this.whole(),
      ArrowLeft: () => this.#moveTo(east - PAN / scale, north),
      ArrowRight: () => this.#moveTo(east + PAN / scale, north),
      ArrowUp: () => this.#moveTo(east, north + PAN / scale),
      ArrowDown: () => this.#moveTo(east, north - PAN / scale),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }
}

function ends(numbers) {
  return numbers.reduce(([least, most], number) => [Math.min(least, number), Math.max(most, number)], [Infinity, -Infinity]);
}

/** Nodes by where they would be drawn; each spot with how many of each kind. */
function gather(nodes, at, width, height) {
  const found = new Map();
  for (const node of nodes) {
    if (node.latitude === null || node.longitude === null) continue;
    const [x, y] = at(node.longitude, node.latitude);
    if (x < -40 || y < -40 || x > width + 40 || y > height + 40) continue;
    // Cells belong to the canvas: while one moves the map, circles may join and part at their borders.
    const id = `${Math.floor(x / CELL)},${Math.floor(y / CELL)}`;
    let spot = found.get(id);
    if (!spot) found.set(id, (spot = { id, x: 0, y: 0, nodes: [], kinds: {} }));
    spot.x += x;
    spot.y += y;
    spot.nodes.push(node);
    spot.kinds[node.judged.kind] = (spot.kinds[node.judged.kind] ?? 0) + 1;
  }
  const spots = [...found.values()];
  for (const spot of spots) {
    spot.x /= spot.nodes.length;
    spot.y /= spot.nodes.length;
    spot.kind = spot.nodes.reduce((worst, { judged }) => (RANK[judged.kind] < RANK[worst] ? judged.kind : worst), "idle");
    spot.radius = spot.nodes.length === 1 ? 5 : Math.min(6 + Math.log2(spot.nodes.length) * 1.6, 19);
  }
  // The worst on top.
  return spots.sort((a, b) => RANK[b.kind] - RANK[a.kind]);
}

function drawSpot(context, spot, isHovered) {
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
    context.arc(spot.x, spot.y, spot.radius - 3.5, 0, 2 * Math.PI);
    context.fillStyle = colour("panel");
    context.fill();
    context.font = `600 ${spot.radius > 13 ? 10 : 9}px ${colour("font")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = colour("ink");
    context.fillText(total > 999 ? `${Math.round(total / 100) / 10}k` : String(total), spot.x, spot.y + 0.5);
    context.textAlign = "start";
  }
  if (isHovered || spot.kind === "failed") {
    context.beginPath();
    context.arc(spot.x, spot.y, spot.radius + 3, 0, 2 * Math.PI);
    context.strokeStyle = isHovered ? colour("ink") : colour("failed");
    context.lineWidth = isHovered ? 2 : 1.5;
    context.stroke();
  }
}

/** What a circle is called: its one node, its one site, or how many of either. */
export function nameOf(spot) {
  if (spot.nodes.length === 1) return spot.nodes[0].host;
  const sites = new Set(spot.nodes.map((node) => node.site));
  return sites.size === 1 && !sites.has("") ? [...sites][0] : `${count(spot.nodes.length, "node")} at ${count(sites.size, "site")}`;
}

/** How many of each kind, in words, the worst first. */
export function sharesOf(spot) {
  return KINDS.filter(({ name }) => spot.kinds[name]).map(({ name, word }) => `${spot.kinds[name].toLocaleString("en")} ${word.toLowerCase()}`).join(", ");
}
