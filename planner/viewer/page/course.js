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
 * @returns [{host, begin, spans: [{begin, end, state}, …], below: the same}, …]; `spans` of the application,
 *   `below` where its container or agent did not run; the host on which something changed first is the first.
 */
export function courses({ since, until, hosts }, application) {
  const own = `application:${application}`;
  const found = Object.entries(hosts).map(([host, passages]) => {
    const at = passages.map(([moment]) => moment).filter((moment) => moment > since);
    const below = ["container", "agent"].flatMap((part) =>
      spans(passages, part, until)
        .filter(({ state }) => state !== "running")
        .map((one) => ({ ...one, part })),
    );
    return { host, begin: Math.min(...at, Infinity), spans: spans(passages, own, until), below };
  });
  return found.sort((a, b) => compared(a.begin, b.begin) || (a.host < b.host ? -1 : 1));
}

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

/** How many hosts changed, and how long they needed until they ran: the one in the middle and the slowest. */
export function summary(found) {
  const moved = found.filter(({ begin }) => begin < Infinity);
  const took = moved.map(({ begin, spans: own }) => {
    const runs = own.at(-1)?.state === "running" && own.find((one) => one.state === "running" && one.begin >= begin);
    return runs ? runs.begin - begin : null;
  });
  const known = took.filter((one) => one !== null).sort((a, b) => a - b);
  const middle = known.length ? known[known.length >> 1] : null;
  return { moved: moved.length, ran: known.length, middle, slowest: known.at(-1) ?? null };
}
