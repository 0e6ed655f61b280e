// Which page an address means. A page is one module below pages/, loaded when it is first asked for; to add
// one, name it here. Its module exports `open(context, params)`, which gives an object with
//   title              what the tab is called
//   view()             the template of now; called at most once a frame, after any change
//   drawn(root)        optional: after view() is in the document (canvases draw here)
//   close()            optional: the reader goes elsewhere

import { plain } from "./words.js";

export const PAGES = [
  { name: "fleet", path: /^\/(?:fleet)?$/, nav: "Fleet", load: () => import("./pages/fleet.js") },
  { name: "slices", path: /^\/slices$/, nav: "Slices", load: () => import("./pages/slices.js") },
  { name: "slice", path: /^\/slices\/([^/]+)$/, load: () => import("./pages/slice.js") },
  { name: "rollout", path: /^\/rollouts\/([^/]+)\/([^/]+)$/, load: () => import("./pages/rollout.js") },
  { name: "node", path: /^\/nodes\/([^/]+)$/, load: () => import("./pages/node.js") },
  { name: "time", path: /^\/time$/, nav: "Time", load: () => import("./pages/time.js") },
  { name: "charts", path: /^\/charts$/, nav: "Charts", load: () => import("./pages/charts.js") },
  {
    name: "availability",
    path: /^\/availability$/,
    nav: "Availability",
    load: () => import("./pages/availability.js"),
  },
  { name: "help", path: /^\/help$/, nav: "Help", load: () => import("./pages/help.js") },
];

/** The page that the address bar names: {page, params, query}; null for none. */
export function here() {
  const [path, query = ""] = decodeHash().split("?", 2);
  for (const page of PAGES) {
    const found = page.path.exec(path);
    const params = found && decoded(found.slice(1));
    if (params) return { page, params, query: plainQuery(query) };
  }
  return null;
}

/** Null for what nobody has encoded. An address is written by anybody, too. */
function decoded(texts) {
  try {
    return texts.map((text) => plain(decodeURIComponent(text)));
  } catch {
    return null;
  }
}

function plainQuery(text) {
  return new URLSearchParams([...new URLSearchParams(text)].map(([name, value]) => [name, plain(value)]));
}

/** The address of a page, for links. */
export function to(name, ...params) {
  const words = { slice: "/slices/", node: "/nodes/", rollout: "/rollouts/" };
  return `#${words[name] ?? `/${name}`}${params.map(encodeURIComponent).join("/")}`;
}

/** Change what follows the question mark, without a step in the browser's history. */
export function setQuery(query) {
  const text = query.toString();
  const hash = `#${decodeHash().split("?", 1)[0]}${text ? `?${text}` : ""}`;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

function decodeHash() {
  return location.hash.slice(1) || "/";
}
