// The fleet as it was: what held at the begin of a time and what changed since, gone through forwards and
// backwards. It is read like a `Fleet`. Nothing here is drawn, and nothing asks the planner.

import { verdict } from "./verdicts.js";

const APPLICATION = "application:";
const WANTED = "wanted:";
const VERSION = "version:";
const NONE = new Map();

export class Bygone {
  nodes = new Map();
  slices = new Map();
  /** Grows when another state is shown. */
  version = 0;
  /** The moment that is shown, seconds since 1970. */
  now;
  /** From when to when nobody looked, because the planner was away: [[begin, end], …]. */
  gaps = [];
  changes;
  begin;
  end;
  #parts = new Map();
  #slivers = new Map();
  #byName = null;
  #applied = 0;
  #isAway = false;
  #place;

  /**
   * @param parts [[at, host, slice, part, state, reason], …]: what held at `begin`.
   * @param changes the same: what changed until `end`, in order.
   * @param place where a node is: (host) => {site, latitude, longitude}, or nothing.
   */
  constructor({ parts, changes, begin, end }, place) {
    Object.assign(this, { begin, end, now: begin });
    this.#place = place;
    const last = new Map();
    for (const [at, host, slice, part, state, reason] of parts) {
      this.#put(host, slice, part, state, at, reason);
      last.set([host, slice, part].join("\n"), [state, at, reason]);
    }
    this.changes = changes.map(([at, host, slice, part, state, reason]) => {
      const key = [host, slice, part].join("\n");
      const before = last.get(key) ?? ["", 0, ""];
      last.set(key, [state, at, reason]);
      return { at, host, slice, part, state, reason, before };
    });
    this.#findGaps();
    for (const host of this.#parts.keys()) this.#renew(host);
  }

  /** All nodes by name. */
  get byName() {
    this.#byName ??= [...this.nodes.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
    return this.#byName;
  }

  slivers(host) {
    return this.#slivers.get(host) ?? NONE;
  }

  verdict(node, slice = "") {
    if (node.judged?.slice !== slice) {
      const slivers = this.slivers(node.host);
      const looked = slice ? [slivers.get(slice)].filter(Boolean) : [...slivers.values()];
      node.judged = { slice, ...verdict(node, looked) };
    }
    return node.judged;
  }

  /** The time in which nobody looked that holds a moment; null for none. */
  gapAt(moment) {
    return this.gaps.find(([begin, end]) => begin <= moment && moment < end) ?? null;
  }

  /** Show another moment: as many changes are made or unmade as lie between. */
  go(moment) {
    this.now = Math.min(Math.max(moment, this.begin), this.end);
    const until = this.countUntil(this.now);
    const touched = new Set();
    for (; this.#applied < until; this.#applied += 1) {
      const one = this.changes[this.#applied];
      this.#put(one.host, one.slice, one.part, one.state, one.at, one.reason);
      touched.add(one.host);
    }
    while (this.#applied > until) {
      const one = this.changes[(this.#applied -= 1)];
      this.#put(one.host, one.slice, one.part, ...one.before);
      touched.add(one.host);
    }
    const isAway = this.gapAt(this.now) !== null;
    const isOther = isAway !== this.#isAway;
    this.#isAway = isAway;
    for (const host of isOther ? this.#parts.keys() : touched) this.#renew(host);
    if (isOther || touched.size) this.version += 1;
  }

  /** How many changes had happened at a moment. */
  countUntil(moment) {
    let [low, high] = [0, this.changes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.changes[middle].at <= moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** When something changed next after what is shown, of a slice and the nodes or of all; null: no more. */
  next(slice = "") {
    for (let place = this.countUntil(this.now); place < this.changes.length; place += 1)
      if (isOf(this.changes[place], slice)) return this.changes[place].at;
    return null;
  }

  /** When something changed last before the moment that is shown; null: nothing had. */
  last(slice = "") {
    for (let place = this.countUntil(this.now) - 1; place >= 0; place -= 1)
      if (this.changes[place].at < this.now && isOf(this.changes[place], slice))
        return this.changes[place].at;
    return null;
  }

  /** The latest changes until the moment that is shown, the newest first. */
  latest(most, slice = "") {
    const found = [];
    for (let place = this.#applied - 1; place >= 0 && found.length < most; place -= 1)
      if (isOf(this.changes[place], slice)) found.push(this.changes[place]);
    return found;
  }

  /** How much happened, in equal parts of the time: [{failed, other}, …]. */
  activity(bins, slice = "") {
    const found = Array.from({ length: bins }, () => ({ failed: 0, other: 0 }));
    for (const one of this.changes) {
      if (!one.host || !isOf(one, slice)) continue;
      const bin = Math.floor((bins * (one.at - this.begin)) / (this.end - this.begin));
      found[Math.min(Math.max(bin, 0), bins - 1)][one.state === "failed" ? "failed" : "other"] += 1;
    }
    return found;
  }

  #findGaps() {
    let away = this.#parts.get("")?.get("")?.get("planner")?.[0] === "away" ? this.begin : null;
    for (const { at, part, state } of this.changes) {
      if (part !== "planner") continue;
      if (state === "away") away ??= at;
      else if (away !== null) {
        this.gaps.push([away, at]);
        away = null;
      }
    }
    if (away !== null) this.gaps.push([away, this.end]);
    this.#isAway = this.gapAt(this.begin) !== null;
  }

  #put(host, slice, part, state, since, reason) {
    let slices = this.#parts.get(host);
    if (!slices) this.#parts.set(host, (slices = new Map()));
    let parts = slices.get(slice);
    if (!parts) slices.set(slice, (parts = new Map()));
    if (state) parts.set(part, [state, since, reason]);
    else parts.delete(part);
  }

  /** Make what is shown of a node anew. */
  #renew(host) {
    if (!host) return;
    const slices = this.#parts.get(host);
    const own = slices.get("")?.get("node");
    let node = this.nodes.get(host);
    if (!own) {
      if (this.nodes.delete(host)) this.#byName = null;
      this.#slivers.delete(host);
      return;
    }
    if (!node) {
      node = newNode(host, this.#place(host));
      this.nodes.set(host, node);
      this.#byName = null;
    }
    // When nobody looked, nobody knows.
    node.state = this.#isAway ? "unknown" : own[0];
    node.since = own[1];
    node.reason = this.#isAway ? "" : own[2];
    node.judged = null;
    const slivers = new Map();
    for (const [slice, parts] of slices) {
      if (!slice || !parts.size) continue;
      const sliver = sliverOf(host, slice, parts);
      slivers.set(slice, sliver);
      this.#know(slice, sliver);
    }
    this.#slivers.set(host, slivers);
  }

  #know(slice, { applications }) {
    if (!this.slices.has(slice)) this.slices.set(slice, { slice, applications: [], waiting: [] });
    const known = this.slices.get(slice).applications;
    for (const { name } of applications) if (!known.some((one) => one.name === name)) known.push({ name });
  }
}

/** Whether a change is one of a slice, of a node, or of the planner. */
const isOf = (change, slice) => !slice || !change.slice || change.slice === slice;

function newNode(host, place) {
  const { site = "", latitude = null, longitude = null } = place ?? {};
  const told = { standing: "", standing_says: "", reason: "", unwell: [] };
  return { host, site, latitude, longitude, ...told, lower: `${host}\n${site}`.toLowerCase() };
}

function sliverOf(host, slice, parts) {
  const layer = (name) => {
    const [state, since, reason] = parts.get(name) ?? ["undefined", 0, ""];
    return { state, since, reason };
  };
  const names = new Set();
  for (const part of parts.keys()) {
    if (part.startsWith(APPLICATION)) names.add(part.slice(APPLICATION.length));
    else if (part.startsWith(WANTED)) names.add(part.slice(WANTED.length));
  }
  const applications = [...names].sort().map((name) => ({
    name,
    ...layer(APPLICATION + name),
    wanted: parts.get(WANTED + name)?.[0] ?? "",
    version: parts.get(VERSION + name)?.[0] ?? "",
    wanted_version: "",
    text: "",
  }));
  const wanted = !applications.length || applications.some((one) => one.wanted);
  const around = { container: layer("container"), agent: layer("agent"), applications };
  return { host, slice, wanted, ...around, reason: "", unwell: [] };
}
