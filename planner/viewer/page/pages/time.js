// The fleet as it was at a moment: gone to, stepped through or played.

import { Bygone } from "../bygone.js";
import { filterBar } from "../filterbar.js";
import { Filter } from "../filters.js";
import { html, nothing } from "../html.js";
import { changed } from "../passages.js";
import { Panorama } from "../panorama.js";
import { wrongPanel } from "../problems.js";
import { setQuery, to } from "../router.js";
import { timeline, typed, WINDOWS, written } from "../timeline.js";
import { ago, count, moment, span } from "../words.js";

// So many changes a page holds; of a longer time it shows the first part.
const MOST = 200_000;
const LATEST = 12;

export function open(context, _params, query) {
  return new TimePage(context, query);
}

class TimePage {
  title = "Time";
  #context;
  #filter;
  #panorama;
  #window;
  #speed;
  #past = null;
  #said = "";
  #wrong = "";
  #loading = 0;
  #playing = 0;
  #picked = null;
  #seen = { key: "", nodes: [], counts: {} };
  #keys = (event) => this.#key(event);

  constructor(context, query) {
    this.#context = context;
    this.#filter = Filter.of(query);
    this.#window = WINDOWS.find(({ name }) => name === query.get("window")) ?? WINDOWS[1];
    this.#speed = this.#window.speed;
    this.#panorama = new Panorama(query.get("view"), {
      changed: () => context.changed(),
      turned: () => this.#written(),
      picked: (nodes) => this.#pick(nodes?.map(({ host }) => host) ?? null),
    });
    document.addEventListener("keydown", this.#keys);
    this.#load(Number(query.get("at")) || null);
  }

  close() {
    document.removeEventListener("keydown", this.#keys);
    this.#loading += 1;
    this.#playing = 0;
  }

  view() {
    this.#advance();
    const past = this.#past;
    if (!past)
      return html`<h1>Time</h1>
        ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : html`<p class="quiet wait">Reading what was …</p>`}`;
    this.#look();
    const { nodes, counts, key } = this.#seen;
    const { slice, isOn } = this.#filter;
    this.title = `${moment(past.now)} · Time`;
    return html`
      <h1 class="unseen">The fleet as it was</h1>
      ${this.#banner(past)}
      ${this.#said ? html`<p class="refused" role="alert">${this.#said}</p>` : nothing}
      ${timeline(past, this.#state, this.#does)}
      ${filterBar(this.#filter, {
        counts,
        slices: [...past.slices.keys()].sort(),
        plans: null,
        set: (change) => this.#set(change),
        toggle: (kind) => this.#toggle(kind),
      })}
      <div class="fleet">
        ${this.#panorama.view(past, { nodes, slice, key, isAll: !isOn })}
        <div class="side">
          ${past.nodes.size && !past.gapAt(past.now) ? this.#ills(past, nodes, counts, slice) : nothing} ${this.#latest(past, slice)}
        </div>
      </div>
    `;
  }

  drawn(root) {
    if (this.#past) this.#panorama.drawn(root, this.#past);
  }

  #banner(past) {
    const gap = past.gapAt(past.now);
    const blank = !past.nodes.size && !gap;
    return html`<div class="past" role="note">
      <p>
        <b>This is the past:</b> <time>${moment(past.now)}</time>
        <span class="quiet">${ago(past.now, this.#context.fleet.now)}</span>
        ${gap ? html`<span class="why">The planner was away (${span(gap[1] - gap[0])}): nobody knows.</span>` : nothing}
        ${blank ? html`<span class="why">Nothing had been recorded yet.</span>` : nothing}
      </p>
      <a class="button" href=${to("fleet")}>Back to now</a>
    </div>`;
  }

  get #state() {
    return {
      window: this.#window,
      speed: this.#speed,
      isPlaying: this.#playing > 0,
      slice: this.#filter.slice,
      wrong: this.#wrong,
      now: this.#past.asked,
    };
  }

  #does = {
    go: (at) => this.#go(at),
    play: () => this.#play(),
    step: (way) => this.#step(way),
    speed: (value) => {
      this.#speed = value;
      this.#context.changed();
    },
    window: (name) => {
      this.#window = WINDOWS.find((one) => one.name === name);
      this.#speed = this.#window.speed;
      this.#load(this.#past.now >= this.#past.asked - 2 ? null : this.#past.now);
    },
    move: (way) => {
      const { begin, end, now } = this.#past;
      this.#load(now + (way * (end - begin)) / 2);
    },
    type: (text) => this.#type(text),
  };

  #ills(past, nodes, counts, slice) {
    const chosen = this.#picked ? nodes.filter((node) => this.#picked.has(node.host)) : null;
    return wrongPanel(past, { nodes, chosen, counts, slice, pick: (hosts) => this.#pick(hosts) });
  }

  #latest(past, slice) {
    const found = past.latest(LATEST, slice);
    return html`<section class="panel latest" aria-label="What had changed last">
      <h2>What had changed last</h2>
      ${found.length ? nothing : html`<p class="quiet">Nothing yet in this window.</p>`}
      <ul class="plainlist">
        ${found.map(
          (one) =>
            html`<li>
              <button class="plain" @click=${() => this.#go(one.at)} title="Go there">
                ${moment(one.at, past.now)}
              </button>
              ${one.host ? html`<a href=${to("node", one.host)}>${one.host}</a>` : nothing} ${changed(one)}
            </li>`,
        )}
      </ul>
    </section>`;
  }

  #look() {
    const past = this.#past;
    const { text, slice, kinds } = this.#filter;
    const key = [past.asked, past.begin, past.version, text, slice, [...kinds].join()].join("|");
    if (key !== this.#seen.key) this.#seen = { key, ...this.#filter.apply(past, null) };
  }

  #go(at) {
    this.#wrong = "";
    this.#past.go(at);
    this.#written();
  }

  #step(way) {
    this.#playing = 0;
    const { slice } = this.#filter;
    const at = way > 0 ? this.#past.next(slice) : this.#past.last(slice);
    if (at !== null) this.#go(at);
  }

  #play() {
    if (this.#playing) this.#written();
    else if (this.#past.now >= this.#past.end - 0.5) this.#past.go(this.#past.begin);
    this.#playing = this.#playing ? 0 : performance.now();
    this.#context.changed();
  }

  /** While it plays: as far as time has gone since the last frame. */
  #advance() {
    if (!this.#playing || !this.#past) return;
    const now = performance.now();
    this.#past.go(this.#past.now + ((now - this.#playing) / 1000) * this.#speed);
    this.#playing = now;
    if (this.#past.now >= this.#past.end) {
      this.#playing = 0;
      this.#written();
    }
    this.#context.changed();
  }

  #type(text) {
    const { fleet } = this.#context;
    const at = typed(text, this.#past.now, fleet.now);
    if (at === null) this.#wrong = "That is no time: 14:05, 14:05:30 or 2026-11-28 14:05 is one.";
    else if (at > fleet.now) this.#wrong = "That is still to come.";
    else if (at >= this.#past.begin && at <= this.#past.end) return this.#go(at);
    else return this.#load(at);
    this.#context.changed();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#past) return;
    if (event.target.closest?.("input:not([type=range]), select, textarea, button, a, summary, canvas")) return;
    const does = { " ": () => this.#play(), ",": () => this.#step(-1), ".": () => this.#step(1) }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  #pick(hosts) {
    if (hosts?.length === 1) location.hash = to("node", hosts[0]);
    else this.#picked = hosts && new Set(hosts);
    this.#context.changed();
  }

  #toggle(kind) {
    this.#filter.toggle(kind);
    this.#written();
  }

  #set(change) {
    Object.assign(this.#filter, change);
    this.#picked = null;
    this.#panorama.begin();
    this.#written();
  }

  #written() {
    const past = this.#past;
    const query = new URLSearchParams();
    if (past && past.now < past.asked - 2) query.set("at", past.now.toFixed(1).replace(/\.0$/, ""));
    if (this.#window !== WINDOWS[1]) query.set("window", this.#window.name);
    if (this.#panorama.name !== "map") query.set("view", this.#panorama.name);
    this.#filter.write(query);
    setQuery(query);
    this.#context.changed();
  }

  /** Read the window around a moment; null: the one that ends now. */
  async #load(at) {
    const mine = (this.#loading += 1);
    this.#playing = 0;
    const { session, fleet } = this.#context;
    const now = fleet.now;
    const end = at === null ? now : Math.min(at + this.#window.length / 2, now);
    const begin = Math.max(end - this.#window.length, 0);
    try {
      const told = await history(session, begin, end);
      if (mine !== this.#loading) return;
      const place = (host) => this.#context.fleet.nodes.get(host);
      this.#past = Object.assign(new Bygone(told, place), { asked: now });
      this.#past.go(at ?? told.end);
      this.#said = told.isCut
        ? `More than ${count(MOST, "change")} happened in that time: shown until ${written(told.end)}. Choose a shorter window.`
        : "";
      this.#wrong = "";
      this.#written();
    } catch (error) {
      if (mine !== this.#loading) return;
      this.#said = error.message;
      this.#context.changed();
    }
  }
}

async function history(session, begin, end) {
  const { parts } = await session.get(`/v1/past/fleet?at=${begin}`);
  let changes = [];
  let said = { more: true, until: begin };
  while (said.more && changes.length < MOST) {
    said = await session.get(`/v1/past/changes?since=${said.until}&until=${end}`);
    changes = changes.concat(said.changes);
  }
  return { parts, changes, begin, end: said.more ? said.until : end, isCut: said.more };
}
