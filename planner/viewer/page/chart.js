// A chart of shares that stand on each other, over time; drawn by uPlot, where that is installed.

import { colour } from "./theme.js";

const STYLES = "fetched/uplot/dist/uPlot.min.css";
const HEIGHT = 190;

let library = null;

/** uPlot, or null when it is not installed; asked for once. */
function uplot() {
  library ??= load();
  return library;
}

async function load() {
  try {
    const { default: found } = await import("./fetched/uplot/dist/uPlot.esm.js");
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = STYLES;
    document.head.append(link);
    return found;
  } catch {
    return null;
  }
}

export class Chart {
  #changed;
  #parts;
  #plot = null;
  #box = null;
  #drawn = "";
  #library = undefined;

  /**
   * @param parts [{name, kind}, …] from below; `kind` is a colour of the style sheet.
   * @param changed called when it has to be drawn again, and when another moment is pointed at.
   */
  constructor(parts, changed) {
    this.#parts = parts;
    this.#changed = changed;
    uplot().then((found) => {
      this.#library = found;
      changed();
    });
  }

  get isLacking() {
    return this.#library === null;
  }

  /** Which sample is pointed at; null for none. */
  get pointed() {
    return this.#plot?.cursor.idx ?? null;
  }

  /** Draw samples {at, NAME: number, …} into a box; `key` tells whether they are others than before. */
  draw(box, samples, key) {
    if (!this.#library || !box) return;
    const width = box.clientWidth;
    const now = [key, width, colour("panel"), devicePixelRatio].join("|");
    if (box === this.#box && now === this.#drawn) return;
    [this.#box, this.#drawn] = [box, now];
    this.#plot?.destroy();
    const options = this.#options(width);
    // Where nobody looked, nothing is not zero.
    if (!this.#parts.some(({ name }) => name === "unknown"))
      options.hooks.drawClear = [(plot) => drawGaps(plot, gaps(samples))];
    this.#plot = new this.#library(options, stacked(samples, this.#parts), box);
  }

  close() {
    this.#plot?.destroy();
    this.#plot = null;
  }

  #options(width) {
    const axis = {
      stroke: colour("quiet"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { stroke: colour("line"), width: 1 },
      font: `11px ${colour("font")}`,
    };
    const steps = this.#library.paths.stepped({ align: 1 });
    const series = this.#parts.map(({ name, kind }) => ({
      label: name,
      stroke: colour(kind),
      width: 1,
      fill: ({ ctx }) => pattern(ctx, kind),
      paths: steps,
      points: { show: false },
    }));
    return {
      width,
      height: HEIGHT,
      padding: [6, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false }, sync: { key: "time" } },
      scales: { y: { range: (_plot, _least, most) => [0, Math.max(most, 1) * 1.05] } },
      // Upon each other: what stands above is filled down to what is below.
      bands: this.#parts.slice(1).map((_, place) => ({ series: [place + 2, place + 1] })),
      axes: [
        { ...axis, size: 28, values: (_plot, ticks) => ticks.map(ticked) },
        { ...axis, size: 56, incrs: WHOLE, values: (_plot, ticks) => ticks.map((one) => one.toLocaleString("en")) },
      ],
      hooks: { setCursor: [() => this.#changed()] },
      series: [{}, ...series],
    };
  }
}

// Instances are counted, so there are no halves of them.
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5];

function stacked(samples, parts) {
  const rows = [samples.map(({ at }) => at)];
  let below = samples.map(() => 0);
  for (const { name } of parts) {
    below = samples.map((one, place) => below[place] + one[name]);
    rows.push(below);
  }
  return rows;
}

/** From when to when something was unknown: [[begin, end], …]. */
function gaps(samples) {
  const found = [];
  samples.forEach(({ at, unknown }, place) => {
    if (!unknown) return;
    const end = samples[place + 1]?.at ?? at;
    if (found.at(-1)?.[1] === at) found.at(-1)[1] = end;
    else found.push([at, end]);
  });
  return found;
}

function drawGaps(plot, found) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = pattern(ctx, "unknown");
  for (const [begin, end] of found) {
    const [from, to] = [begin, end].map((at) => plot.valToPos(at, "x", true));
    ctx.fillRect(from, bbox.top, Math.max(to - from, 1), bbox.height);
  }
  ctx.restore();
}

/** At midnight the day, else the time. */
function ticked(seconds) {
  const at = new Date(seconds * 1000);
  if (!at.getHours() && !at.getMinutes() && !at.getSeconds())
    return at.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  const two = (number) => String(number).padStart(2, "0");
  const minute = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return at.getSeconds() ? `${minute}:${two(at.getSeconds())}` : minute;
}

/** Not by colour alone: what failed is hatched, what waits dotted, what is unknown lined. */
function pattern(context, kind) {
  if (kind === "fine") return colour(kind);
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.globalAlpha = 0.55;
  pen.fillStyle = colour(kind);
  pen.fillRect(0, 0, 8, 8);
  pen.globalAlpha = 1;
  pen.strokeStyle = pen.fillStyle;
  pen.lineWidth = 2;
  if (kind === "failed") {
    for (const from of [-8, 0, 8]) {
      pen.moveTo(from, 8);
      pen.lineTo(from + 8, 0);
    }
    pen.stroke();
  } else if (kind === "waiting") {
    pen.fillRect(1, 1, 2.5, 2.5);
    pen.fillRect(5, 5, 2.5, 2.5);
  } else pen.fillRect(0, 0, 8, 2);
  return context.createPattern(tile, "repeat");
}
