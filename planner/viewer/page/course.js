// The course of an application host by host, from what was recorded. Nothing here is drawn.

/** The states a roll-out goes through, with the letter that stands for each. */
export const STATES = [
  { name: "requested", letter: "q" },
  { name: "instantiated", letter: "t" },
  { name: "initialized", letter: "i" },
  { name: "installed", letter: "n" },
  { name: "running", letter: "R" },
  { name: "failed", letter: "F" },
  { name: "terminated", letter: "x" },
  { name: "undefined", letter: "?" },
];
const LETTERS = Object.fromEntries(STATES.map(({ name, letter }) => [name, letter]));
export const letterOf = (state) => LETTERS[state] ?? "?";

/**
 * @param told {since, until, hosts: {HOST: [[at, part, state], …]}}.
 * @param application its name.
 * @param from when it was begun; what changed before does not belong to it.
 * @returns [{host, begin, spans: [{begin, end, state}, …], below, versions}, …]; `spans` of the application,
 *   `below` where its container or agent did not run, `versions` that it got, with when; the host on which
 *   something changed first is the first.
 */
export function courses({ since, until, hosts }, application, from = since) {
  const own = `application:${application}`;
  const found = Object.entries(hosts).map(([host, passages]) => {
    const at = passages.map(([moment]) => moment).filter((moment) => moment > since && moment >= from);
    const below = ["container", "agent"].flatMap((part) =>
      spans(passages, part, until)
        .filter(({ state }) => state !== "running")
        .map((one) => ({ ...one, part })),
    );
    const versions = spans(passages, `version:${application}`, until).filter(({ begin }) => begin > since);
    return { host, begin: Math.min(...at, Infinity), spans: spans(passages, own, until), below, versions };
  });
  return found.sort((a, b) => compared(a.begin, b.begin) || (a.host < b.host ? -1 : 1));
}

// So many characters of a version are kept.
const KEPT = 20;
// Where nothing changed: behind all others.
const compared = (a, b) => (a === b ? 0 : a - b);

function spans(passages, part, until) {
  const found = [];
  for (const [at, of, state] of passages) {
    if (of !== part) continue;
    const last = found.at(-1);
    if (last) last.end = at;
    found.push({ begin: at, end: until, state });
  }
  return found.filter(({ begin, end, state }) => state && end > begin);
}

/** On how many hosts something changed, and when those that got a version got it, in order. */
export function summary(found, version) {
  const moved = found.filter(({ begin }) => begin < Infinity).length;
  const cut = version.slice(0, KEPT);
  const got = found
    .map(({ versions }) => versions.findLast((one) => one.state === cut)?.begin)
    .filter((at) => at !== undefined)
    .sort((a, b) => a - b);
  return { moved, got };
}
