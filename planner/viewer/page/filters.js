// Which nodes the reader wants to see; it is a part of the address, so that a view can be sent to others.

import { KINDS, RANK } from "./verdicts.js";

export class Filter {
  text = "";
  slice = "";
  plan = "";
  /** Kinds of `verdicts.js`; none: all. */
  kinds = new Set();

  static of(query) {
    const filter = new Filter();
    filter.text = query.get("text") ?? "";
    filter.slice = query.get("slice") ?? "";
    filter.plan = query.get("plan") ?? "";
    filter.kinds = new Set((query.get("state") ?? "").split(",").filter((kind) => kind in RANK));
    return filter;
  }

  write(query) {
    for (const [name, value] of [
      ["text", this.text],
      ["slice", this.slice],
      ["plan", this.plan],
      ["state", [...this.kinds].join(",")],
    ]) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
  }

  get isOn() {
    return Boolean(this.text || this.slice || this.plan || this.kinds.size);
  }

  toggle(kind) {
    if (!this.kinds.delete(kind)) this.kinds.add(kind);
  }

  /**
   * What is to be seen.
   *
   * @param planned the hosts that the plan asked for selects, or null.
   * @returns {nodes: the worst first, counts: by kind, of all that pass but for their kind}
   */
  apply(fleet, planned) {
    const words = this.text.toLowerCase().split(/\s+/).filter(Boolean);
    const counts = {};
    const found = KINDS.map(() => []);
    for (const node of fleet.byName) {
      if (
        this.plan && planned
          ? !planned.has(node.host)
          : this.slice && !fleet.slivers(node.host).has(this.slice)
      )
        continue;
      if (words.length && !words.every((word) => node.lower.includes(word))) continue;
      const { kind } = fleet.verdict(node, this.slice);
      counts[kind] = (counts[kind] ?? 0) + 1;
      if (!this.kinds.size || this.kinds.has(kind)) found[RANK[kind]].push(node);
    }
    return { nodes: found.flat(), counts };
  }
}
