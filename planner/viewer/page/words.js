// Texts for people. What others wrote (names, reasons, logs) is made plain when it is read, once: characters
// that command a terminal, turn the direction of reading or cannot be seen are shown as what they are.

const HIDDEN =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** A text in which everything can be seen; tab and newline stay. */
export function plain(text) {
  return text.replace(HIDDEN, (one) => {
    const code = one.codePointAt(0);
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  });
}

/** JSON of which every text and every name is plain. */
export function parse(text) {
  return JSON.parse(text, (_key, value) => {
    if (typeof value === "string") return plain(value);
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    const names = Object.keys(value);
    if (names.every((name) => plain(name) === name)) return value;
    return Object.fromEntries(names.map((name) => [plain(name), value[name]]));
  });
}

/** The begin of a text that is too long to be read, and how much more there is. */
export function cut(text, most) {
  if (text.length <= most) return text;
  return `${text.slice(0, most)} … (and ${count(text.length - most, "more character", "more characters")})`;
}

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A length of time in its two largest units: 3 h 12 min. */
export function span(seconds) {
  let left = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [size, unit] of UNITS) {
    if (left >= size && parts.length < 2) parts.push(`${Math.floor(left / size)} ${unit}`);
    else if (parts.length) break;
    left %= size;
  }
  return parts.join(" ") || "0 s";
}

/** How long ago a moment was; empty for none. `now` is the planner's, in seconds. */
export function ago(moment, now) {
  return moment > 0 ? `${span(now - moment)} ago` : "";
}

/** How long something has been so; empty when nobody knows. */
export function lasting(moment, now) {
  return moment > 0 ? `for ${span(now - moment)}` : "";
}

const clocks = new Map();

/** Made once, which costs more than a hundred uses; anew where the reader's zone is another one by now. */
function clock(at) {
  const offset = at.getTimezoneOffset();
  if (!clocks.has(offset))
    clocks.set(offset, new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" }));
  return clocks.get(offset);
}

/** A moment on this reader's clock, to the second; with the day when that is not today. */
export function moment(seconds, now = Date.now() / 1000) {
  if (!(seconds > 0)) return "";
  const at = new Date(seconds * 1000);
  const time = clock(at).format(at);
  return at.toDateString() === new Date(now * 1000).toDateString()
    ? time
    : `${at.toLocaleDateString()} ${time}`;
}

export const iso = (seconds) => (seconds > 0 ? new Date(seconds * 1000).toISOString() : "");

/** `1 node`, `2,000 nodes`. */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** The first names of a list, and how many more there are. */
export function some(names, most = 8) {
  const left = names.length - most;
  return left > 0
    ? `${names.slice(0, most).join(", ")} and ${left.toLocaleString("en")} more`
    : names.join(", ");
}
