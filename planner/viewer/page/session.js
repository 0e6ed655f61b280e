// Who is logged in, and how the planner is asked. The token lives as long as this tab.

import { parse } from "./words.js";

const KEPT = "dsmt.session";
// Characters of a line; the planner tells none that is longer than a million.
const LONGEST = 8_000_000;

/** A refusal or failure, as the planner says it: a sentence, and what to do. */
export class Refused extends Error {
  constructor(status, said) {
    super(said?.message ?? `the planner answered with status ${status}`);
    this.status = status;
    this.code = said?.code ?? "";
    this.hint = said?.hint ?? "";
    /** Where in a text it went wrong: the line, and a line with a caret. */
    this.place = said?.place ?? "";
  }
}

export class Session {
  #token = "";
  #ended;

  /** @param ended called with a sentence when the login is over. */
  constructor(ended) {
    this.#ended = ended;
    try {
      this.#token = sessionStorage.getItem(KEPT) ?? "";
    } catch {
      // A browser that keeps nothing asks for the password after each load.
    }
  }

  get isOpen() {
    return this.#token !== "";
  }

  get headers() {
    return { authorization: `Bearer ${this.#token}` };
  }

  async logIn(account, password, role) {
    const said = await this.post("/v1/login", role ? { account, password, role } : { account, password });
    this.#keep(said.token);
  }

  async logOut() {
    const headers = this.headers;
    this.#keep("");
    this.#ended("");
    await fetch("/v1/logout", { method: "POST", headers }).catch(() => {});
  }

  /** The login has ended without the reader's doing. */
  over(sentence) {
    if (!this.isOpen) return;
    this.#keep("");
    this.#ended(sentence);
  }

  get = async (path) => parse(await this.#ask("GET", path));
  /** What is answered, as it is. */
  text = (path) => this.#ask("GET", path);
  post = async (path, body = {}) => parse(await this.#ask("POST", path, body));
  put = async (path, body = {}) => parse(await this.#ask("PUT", path, body));
  delete = async (path) => parse(await this.#ask("DELETE", path));

  /** The lines of a stream of JSON, until it ends or `signal` ends it. */
  async *lines(path, signal) {
    const answer = await fetch(path, { headers: this.headers, signal });
    if (!answer.ok) throw await this.#refused(answer);
    let rest = "";
    for await (const text of texts(answer.body)) {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      if (rest.length > LONGEST) throw new Refused(0, { message: "the planner tells an endless line" });
      for (const line of lines) if (line) yield parse(line);
    }
  }

  async #ask(method, path, body) {
    const headers = this.isOpen ? this.headers : {};
    const sent =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { ...headers, "content-type": "application/json" } };
    let answer;
    try {
      answer = await fetch(path, { method, headers, ...sent });
    } catch {
      throw new Refused(0, {
        message: "the planner does not answer",
        hint: "is it running, and the network up?",
      });
    }
    if (!answer.ok) throw await this.#refused(answer);
    return answer.text();
  }

  async #refused(answer) {
    const text = await answer.text().catch(() => "");
    let said = null;
    try {
      said = parse(text);
    } catch {
      // Whoever stands between here and the planner answered.
    }
    const refused = new Refused(answer.status, said);
    if (answer.status === 401 && this.isOpen) this.over(refused.message);
    return refused;
  }

  #keep(token) {
    this.#token = token;
    try {
      if (token) sessionStorage.setItem(KEPT, token);
      else sessionStorage.removeItem(KEPT);
    } catch {
      // See the constructor.
    }
  }
}

/** The texts of a body as they come. */
export async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
