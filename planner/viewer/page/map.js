// The map: where the nodes are, moved and zoomed by mouse, finger and keys.

import { drawSpot, gather, labelOf } from "./spots.js";
import { colour } from "./theme.js";
import { RANK } from "./verdicts.js";
import { land } from "./world.js";

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
  #fingers = new Map();
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
    const now = [
      key,
      width,
      height,
      ratio,
      colour("panel"),
      JSON.stringify(this.#view),
      this.#hovered?.id,
      this.#path ? 1 : 0,
    ].join("|");
    if (now === this.#drawn) return;
    this.#drawn = now;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const scale = this.#scale(width, height);
    this.#drawLand(context, width, height, scale);
    this.#spots = gather(
      nodes,
      (east, north) => this.#at(east, north, width, height, scale),
      width,
      height,
    );
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
    return {
      east: this.#view.east + (x - width / 2) / scale,
      north: this.#view.north - (y - height / 2) / scale,
    };
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
    const near = this.#spots.filter(
      (spot) => spot.x > 0 && spot.x < width && spot.y > 0 && spot.y < height,
    );
    if (near.length > NAMES) return;
    context.font = `11px ${colour("font")}`;
    context.textBaseline = "middle";
    const taken = near.map(({ x, y, radius }) => ({
      x: x - radius,
      y: y - radius,
      w: 2 * radius,
      h: 2 * radius,
    }));
    for (const spot of [...near].sort(
      (a, b) => RANK[a.kind] - RANK[b.kind] || b.nodes.length - a.nodes.length,
    )) {
      const text = labelOf(spot);
      const box = { x: spot.x + spot.radius + 5, y: spot.y - 7, w: context.measureText(text).width, h: 14 };
      if (box.x + box.w > width - 4) box.x = spot.x - spot.radius - 5 - box.w;
      if (
        taken.some(
          (other) =>
            box.x < other.x + other.w &&
            other.x < box.x + box.w &&
            box.y < other.y + other.h &&
            other.y < box.y + box.h,
        )
      )
        continue;
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
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoomBy(2 ** (-event.deltaY / 250), event.offsetX, event.offsetY);
      },
      { passive: false },
    );
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#fingers.set(event.pointerId, place(event));
      this.#drag = { ...place(event), moved: this.#fingers.size > 1 };
    });
    canvas.addEventListener("pointermove", (event) => this.#moved(event));
    canvas.addEventListener("pointerup", (event) => this.#released(event));
    canvas.addEventListener("pointercancel", (event) => this.#lifted(event));
    canvas.addEventListener("pointerleave", () => this.#hover(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #moved(event) {
    if (!this.#drag) return this.#hover(this.#spotAt(event.offsetX, event.offsetY));
    if (this.#fingers.size > 1) return this.#pinched(event);
    const [x, y] = [event.offsetX - this.#drag.x, event.offsetY - this.#drag.y];
    if (!this.#drag.moved && Math.hypot(x, y) < 4) return;
    const scale = this.#scale(this.#canvas.clientWidth, this.#canvas.clientHeight);
    this.#drag = { x: event.offsetX, y: event.offsetY, moved: true };
    this.#moveTo(this.#view.east - x / scale, this.#view.north + y / scale);
  }

  /** Two fingers: the map follows the middle between them, and grows with what is between them. */
  #pinched(event) {
    if (!this.#fingers.has(event.pointerId)) return;
    const before = between(this.#fingers);
    this.#fingers.set(event.pointerId, place(event));
    const after = between(this.#fingers);
    const scale = this.#scale(this.#canvas.clientWidth, this.#canvas.clientHeight);
    this.#moveTo(
      this.#view.east - (after.x - before.x) / scale,
      this.#view.north + (after.y - before.y) / scale,
    );
    if (before.apart > 0) this.zoomBy(after.apart / before.apart, after.x, after.y);
  }

  /** A finger has left; whoever is left goes on from where it is. */
  #lifted(event) {
    this.#fingers.delete(event.pointerId);
    const [left] = this.#fingers.values();
    this.#drag = left ? { ...left, moved: true } : null;
  }

  #released(event) {
    const drag = this.#drag;
    this.#lifted(event);
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

const place = ({ offsetX: x, offsetY: y }) => ({ x, y });

/** The middle between the first two fingers, and how far they are apart. */
function between(fingers) {
  const [a, b] = fingers.values();
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
}

function ends(numbers) {
  return numbers.reduce(
    ([least, most], number) => [Math.min(least, number), Math.max(most, number)],
    [Infinity, -Infinity],
  );
}
