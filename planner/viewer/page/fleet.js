// The fleet as the feed tells it: nodes, slivers and slices by name. Others read it; only `hear` changes it.

import { verdict } from "./verdicts.js";

export class Fleet {
  nodes = new Map();
  slices = new Map();
  you = NOBODY;
  isLive = false;
  trouble = "";
  /** How long ago nodes were heard: [[upper end in seconds or null, how many], …]. */
  heard = [];
  /** Grows with every change; who has drawn one version need not draw it again. */
  version = 0;
  #slivers = new Map();
  #columns = {};
  #skews = [];
  #next = null;
  #byName = null;
  #versions = new Map();

  /** The planner's time, in seconds. */
  get now() {
    return Date.now() / 1000 + (this.#skews.length ? Math.max(...this.#skews) : 0);
  }

  /** All nodes by name. */
  get byName() {
    this.#byName ??= [...this.nodes.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
    return this.#byName;
  }

  /** The slivers of a node, by slice. */
  slivers(host) {
    return this.#slivers.get(host) ?? NONE;
  }

  /** Every sliver of a slice, as [host, sliver]. */
  *of(slice) {
    for (const [host, slivers] of this.#slivers) {
      const sliver = slivers.get(slice);
      if (sliver) yield [host, sliver];
    }
  }

  /** Grows with every change of a slice or of its slivers. */
  versionOf(slice) {
    return this.#versions.get(slice) ?? 0;
  }

  mayChange(slice) {
    return this.you.slices.includes(slice);
  }

  /** Whether the reader may take a node out of service; to which site it belongs, the node's page knows. */
  mayManage({ of_site: site }) {
    return this.you.nodes || this.you.nodes_of_sites.includes(site);
  }

  /** Forget everything: nobody is logged in. */
  forget() {
    this.#adopt(new Fleet());
    this.#versions.clear();
    this.you = NOBODY;
    this.isLive = false;
    this.trouble = "";
    this.heard = [];
    this.version += 1;
  }

  /** One event of the feed. */
  hear(said) {
    if (said.begin) this.#begin(said.begin);
    // A beginning is taken over when it is whole: until then the fleet of before is shown.
    const at = this.#next ?? this;
    for (const row of said.rows ?? []) at.#take(row);
    if (said.you) this.you = said.you;
    if (said.live && this.#next) this.#adopt(this.#next);
    const now = said.live ?? said.now ?? said.begin?.now;
    if (now) {
      this.#look(now.at - Date.now() / 1000);
      this.heard = now.heard ?? [];
      this.trouble =
        now.trouble || (now.link === "connected" ? "" : `the planner's link to the broker is ${now.link}`);
    }
    this.version += 1;
  }

  /** How a node is, with its slivers of one slice or of all; kept until one of them changes. */
  verdict(node, slice = "") {
    if (node.judged?.slice !== slice) {
      const slivers = this.slivers(node.host);
      const looked = slice ? [slivers.get(slice)].filter(Boolean) : [...slivers.values()];
      node.judged = { slice, ...verdict(node, looked) };
    }
    return node.judged;
  }

  /** What comes late says too little: of the last minute the most holds, unless one of the clocks was put. */
  #look(skew) {
    if (this.#skews.some((one) => Math.abs(one - skew) > PUT_S)) this.#skews = [];
    this.#skews = [...this.#skews.slice(1 - SKEWS), skew];
  }

  #begin({ you, columns }) {
    this.#next = new Fleet();
    this.#next.#columns = columns;
    this.you = you;
  }

  #adopt(next) {
    this.nodes = next.nodes;
    this.slices = next.slices;
    this.#slivers = next.#slivers;
    this.#columns = next.#columns;
    for (const slice of this.slices.keys()) this.#changed(slice);
    this.#next = null;
    this.#byName = null;
    this.isLive = true;
  }

  #take(row) {
    if (row.node) this.#takeNode(named(this.#columns.node, row.node));
    else if (row.slice) this.#takeSlice(named(this.#columns.slice, row.slice));
    else if (row.sliver) this.#takeSliver(named(this.#columns.sliver, row.sliver));
    else if (row.gone) this.#drop(...row.gone);
  }

  #takeNode(node) {
    node.lower = `${node.host}\n${node.site}`.toLowerCase();
    this.nodes.set(node.host, node);
    this.#byName = null;
  }

  #takeSlice(slice) {
    slice.applications = slice.applications.map(([name, version, run]) => ({ name, version, run }));
    slice.rollouts = slice.rollouts.map(([application, phase, active, wave, waves, version]) => ({
      application,
      phase,
      active,
      wave,
      waves,
      version,
    }));
    this.slices.set(slice.slice, slice);
    this.#changed(slice.slice);
  }

  #takeSliver(sliver) {
    sliver.container = named(this.#columns.layer, sliver.container);
    sliver.agent = named(this.#columns.layer, sliver.agent);
    sliver.applications = sliver.applications.map((one) => named(this.#columns.application, one));
    if (!this.#slivers.has(sliver.host)) this.#slivers.set(sliver.host, new Map());
    this.#slivers.get(sliver.host).set(sliver.slice, sliver);
    this.#changed(sliver.slice);
    this.#forget(sliver.host);
  }

  #drop(host, slice) {
    if (host && slice) {
      this.#slivers.get(host)?.delete(slice);
      this.#changed(slice);
      this.#forget(host);
    } else if (host) {
      this.nodes.delete(host);
      this.#byName = null;
      this.#slivers.delete(host);
    } else {
      this.slices.delete(slice);
      for (const [of, slivers] of this.#slivers) if (slivers.delete(slice)) this.#forget(of);
    }
  }

  #changed(slice) {
    this.#versions.set(slice, (this.#versions.get(slice) ?? 0) + 1);
  }

  #forget(host) {
    const node = this.nodes.get(host);
    if (node) node.judged = null;
  }
}

const NONE = new Map();
// As many as the planner tells in a minute.
const SKEWS = 12;
const PUT_S = 5;
const NOBODY = { account: "", role: "", nodes: false, nodes_of_sites: [], slices: [], all_slices: false };

function named(columns, values) {
  const found = {};
  for (let place = 0; place < columns.length; place += 1) found[columns[place]] = values[place];
  return found;
}
