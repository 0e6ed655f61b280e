// Keys that hold on every page, except where somebody types.

import { to } from "./router.js";

const GO = { f: "fleet", s: "slices", t: "time", c: "charts", a: "availability", h: "help" };
const WITHIN_MS = 1500;

export function listen() {
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const isGoing = performance.now() - going < WITHIN_MS;
    going = 0;
    if (isGoing && event.key in GO) location.hash = to(GO[event.key]);
    else if (event.key === "g") going = performance.now();
    else if (event.key === "?") location.hash = to("help");
    else if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
    }
  });
}
