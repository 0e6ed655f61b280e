// The grid: for each node its layers from the node itself through container and agent to the applications,
// as coloured fields. With names for some hundred nodes, dense (a small column a node) for thousands. Only
// what is in the window is drawn.

import { colour } from "./theme.js";
import { isLost, kindOfApplication, kindOfLayer, kindOfNode, worst } from "./verdicts.js";

const ROW = 22;
const NAME = 210;
const FIELD = 120;
const TILE = 11;
const BAND_GAP = 7;

/** The columns for what is looked at: one for each application when it is one slice, else one for all. */
export function columnsOf(fleet, slice) {
  const fixed = [
    {
      title: "node",
      of: (node) =>
        node.standing && node.state === "alive"
          ? "out"
          : node.state === "alive"
            ? "fine"
            : kindOfNode(node.state),
    },
    {
      title: "container",
      of: (node, slivers) =>
        heard(
          node,
          slivers.map((one) => wantedKind(one, kindOfLayer(one.container.state))),
        ),
    },
    {
      title: "agent",
      of: (node, slivers) =>
        heard(
          node,
          slivers.map((one) => wantedKind(one, kindOfLayer(one.agent.state))),
        ),
    },
  ];
  const names = slice ? (fleet.slices.get(slice)?.applications ?? []).map(({ name }) => name) : [];
  if (!names.length) {
    return [
      ...fixed,
      {
        title: "application",
        of: (node, slivers) =>
          heard(
            node,
            slivers.flatMap((one) => one.applications.map(kindOfApplication)),
          ),
      },
    ];
  }
  const column = (name) => ({
    title: name,
    of: (node, slivers) =>
      heard(
        node,
        slivers.flatMap((one) =>
          one.applications.filter((app) => app.name === name).map(kindOfApplication),
        ),
      ),
  });
  return [...fixed, ...names.slice(0, 12).map(column)];
}

// Of a node that is not heard, nothing on it is known.
const heard = (node, kinds) => (kinds.length && isLost(node) ? "unknown" : worst(kinds));

// What is not wanted any more and has not gone yet is no failure.
const wantedKind = (sliver, kind) => (sliver.wanted ? kind : "out");

export class Grid {
  #changed;
  #picked;
  #canvas = null;
  #cursor = 0;
  #shown = { nodes: [], columns: [], isDense: false, across: 1 };
  #drawn = "";

  constructor(changed, picked) {
    this.#changed = changed;
    this.#picked = picked;
  }

  get cursor() {
    return this.#shown.nodes[Math.min(this.#cursor, this.#shown.nodes.length - 1)] ?? null;
  }

  /** Draw into the window of a scrolled box. */
  draw(box, fleet, { nodes, slice, isDense, key }) {
    const canvas = box.querySelector("canvas");
    this.#listen(box, canvas);
    const columns = columnsOf(fleet, slice);
    const width = box.clientWidth;
    const across = isDense ? Math.max(Math.floor((width - 8) / TILE), 1) : 1;
    const band = isDense ? columns.length * TILE + BAND_GAP : ROW;
    const head = isDense ? 0 : ROW;
    this.#shown = { nodes, columns, isDense, across, band, head };
    box.querySelector(".tall").style.height = `${head + Math.ceil(nodes.length / across) * band + 4}px`;
    const height = box.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const hasFocus = document.activeElement === canvas;
    const now = [
      key,
      width,
      height,
      box.scrollTop,
      isDense,
      this.#cursor,
      hasFocus,
      colour("panel"),
      ratio,
    ].join("|");
    if (now === this.#drawn) return;
    this.#drawn = now;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const first = Math.max(Math.floor((box.scrollTop - head) / band), 0);
    const last = Math.ceil((box.scrollTop + height) / band);
    for (let place = first * across; place < Math.min(nodes.length, last * across); place += 1) {
      const node = nodes[place];
      const kept = fleet.slivers(node.host);
      const slivers = slice ? [kept.get(slice)].filter(Boolean) : [...kept.values()];
      const y = head + Math.floor(place / across) * band - box.scrollTop;
      const kinds = columns.map((column) => column.of(node, slivers));
      const isCursor = hasFocus && place === this.#cursor;
      if (isDense) drawTile(context, 4 + (place % across) * TILE, y + 2, kinds, isCursor);
      else drawRow(context, node, y, kinds, isCursor, width);
    }
    if (head) drawHead(context, columns, width);
  }

  #listen(box, canvas) {
    if (this.#canvas === canvas) return;
    this.#canvas = canvas;
    this.#drawn = "";
    this.#cursor = 0;
    box.addEventListener("scroll", () => this.#changed(), { passive: true });
    canvas.addEventListener("pointermove", (event) => {
      const place = this.#placeAt(box, event);
      canvas.style.cursor = place === null ? "default" : "pointer";
      canvas.title = place === null ? "" : this.#shown.nodes[place].host;
    });
    canvas.addEventListener("click", (event) => {
      const place = this.#placeAt(box, event);
      if (place !== null) this.#picked(this.#shown.nodes[place]);
    });
    canvas.addEventListener("keydown", (event) => this.#key(box, event));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.#changed());
  }

  #placeAt(box, { offsetX, offsetY }) {
    const { nodes, across, band, head, isDense } = this.#shown;
    if (offsetY < head) return null;
    const column = isDense ? Math.floor((offsetX - 4) / TILE) : 0;
    const place = Math.floor((offsetY + box.scrollTop - head) / band) * across + column;
    return column >= 0 && column < across && place < nodes.length ? place : null;
  }

  #key(box, event) {
    const { nodes, across, band, head } = this.#shown;
    const page = Math.max(Math.floor(box.clientHeight / band) - 1, 1) * across;
    const steps = {
      ArrowDown: across,
      ArrowUp: -across,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    if (across > 1) Object.assign(steps, { ArrowRight: 1, ArrowLeft: -1 });
    if (event.key === "Enter" && this.cursor) return this.#picked(this.cursor);
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.#cursor = Math.min(Math.max(this.#cursor + steps[event.key], 0), Math.max(nodes.length - 1, 0));
    const y = head + Math.floor(this.#cursor / across) * band;
    if (y < box.scrollTop + head) box.scrollTop = y - head;
    if (y + band > box.scrollTop + box.clientHeight) box.scrollTop = y + band - box.clientHeight;
    this.#changed();
  }
}

function drawTile(context, x, y, kinds, isCursor) {
  kinds.forEach((kind, row) => {
    context.fillStyle = colour(kind);
    context.fillRect(x, y + row * TILE, TILE - 1.5, TILE - 1.5);
  });
  if (isCursor) outline(context, x - 1, y - 1, TILE + 0.5, kinds.length * TILE + 0.5);
}

function drawRow(context, node, y, kinds, isCursor, width) {
  context.font = `12px ${colour("font")}`;
  context.textBaseline = "middle";
  context.fillStyle = colour("ink");
  context.fillText(node.host, 8, y + ROW / 2, NAME - 16);
  const field = fieldOf(width, kinds.length);
  kinds.forEach((kind, column) => {
    context.fillStyle = colour(kind);
    context.fillRect(NAME + column * field, y + 3, field - 3, ROW - 6);
    if (kind === "failed") {
      // Not by colour alone.
      context.fillStyle = colour("panel");
      context.fillText("✕", NAME + column * field + field / 2 - 6, y + ROW / 2 + 1);
    }
  });
  if (isCursor) outline(context, 1, y + 1, width - 2, ROW - 2);
}

function drawHead(context, columns, width) {
  context.fillStyle = colour("panel");
  context.fillRect(0, 0, width, ROW);
  context.font = `600 11px ${colour("font")}`;
  context.textBaseline = "middle";
  context.fillStyle = colour("quiet");
  const field = fieldOf(width, columns.length);
  columns.forEach(({ title }, column) =>
    context.fillText(title, NAME + column * field, ROW / 2, field - 6),
  );
}

const fieldOf = (width, columns) => Math.max(Math.min((width - NAME - 8) / columns, FIELD), 14);

function outline(context, ...box) {
  context.strokeStyle = colour("ink");
  context.lineWidth = 2;
  context.strokeRect(...box);
}
