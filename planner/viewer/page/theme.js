// Light or dark: as the system has it, until the reader chooses.

const KEPT = "dsmt.theme";
const THEMES = ["system", "light", "dark"];

export function theme() {
  try {
    const kept = localStorage.getItem(KEPT);
    return THEMES.includes(kept) ? kept : "system";
  } catch {
    return "system";
  }
}

export function useTheme(chosen = theme()) {
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // Then it holds until the page is loaded again.
  }
  colours.clear();
}

export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
  useTheme(next);
  return next;
}

const colours = new Map();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => colours.clear());

/** A colour of the style sheet (or its font), for a canvas. */
export function colour(name) {
  if (!colours.has(name)) {
    if (name !== "font") register(`--${name}`);
    colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return colours.get(name);
}

const registered = new Set();

/** Of a property that is known to be a colour a browser tells the one of the present scheme. */
function register(name) {
  if (registered.has(name)) return;
  registered.add(name);
  CSS.registerProperty({ name, syntax: "<color>", inherits: true, initialValue: "transparent" });
}
