// The feed from GET /v1/fleet: begun again, with pauses that grow, for as long as the page is open.

import { texts } from "./session.js";
import { parse } from "./words.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
// The planner says something every five seconds; a connection that is silent for longer is dead.
const SILENCE_MS = 20_000;

export class Feed {
  #session;
  #hear;
  #told;
  #ending = null;
  #silent = null;
  #heardAt = 0;
  #goOn = null;

  /**
   * @param session whose eyes it has.
   * @param hear called with each event of the planner.
   * @param told called with `connecting`, `live` or a sentence that says why it is not.
   */
  constructor(session, hear, told) {
    this.#session = session;
    this.#hear = hear;
    this.#told = told;
  }

  async run() {
    this.end();
    const ending = (this.#ending = new AbortController());
    let pause = FIRST_PAUSE_MS;
    while (!ending.signal.aborted && this.#session.isOpen) {
      const heard = await this.#once(ending.signal);
      if (ending.signal.aborted || !this.#session.isOpen) return;
      pause = heard ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
      await this.#wait(pause * (0.5 + Math.random()));
    }
  }

  /**
   * Called about once a second: leaves a connection that is dead without a word. By the clock on the wall and
   * not by a timer of its own: in a machine that sleeps timers stand still, and in a tab behind others they
   * are slow.
   */
  look() {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.#silent?.abort();
  }

  /** Somebody looks, or the network is back: no longer wait to try again. */
  hasten() {
    this.look();
    this.#goOn?.();
  }

  end() {
    this.#ending?.abort();
    this.#ending = null;
  }

  /** One connection; whether anything was heard on it. */
  async #once(signal) {
    const silent = (this.#silent = new AbortController());
    this.#heardAt = Date.now();
    let heard = false;
    this.#told("connecting");
    try {
      const both = AbortSignal.any([signal, silent.signal]);
      const answer = await fetch("/v1/fleet?follow=true", { headers: this.#session.headers, signal: both });
      if (!answer.ok) {
        const said = await answer.json().catch(() => null);
        if (answer.status === 401) this.#session.over(said?.message ?? "the login has ended");
        throw new Error(said?.message ?? `status ${answer.status}`);
      }
      let rest = "";
      for await (const text of texts(answer.body)) {
        this.#heardAt = Date.now();
        const events = (rest + text).split("\n\n");
        rest = events.pop();
        for (const event of events) {
          const said = parse(event.slice(6));
          heard = true;
          if (said.live) this.#told("live");
          if (said.end !== undefined) return this.#session.over(said.end);
          this.#hear(said);
        }
      }
      this.#told("the planner closed the connection");
    } catch (error) {
      const quiet = silent.signal.aborted;
      if (!signal.aborted)
        this.#told(quiet ? "the planner is silent" : `the planner does not answer (${error.message})`);
    } finally {
      this.#silent = null;
    }
    return heard;
  }

  async #wait(pause) {
    await new Promise((done) => {
      this.#goOn = done;
      setTimeout(done, pause);
    });
    this.#goOn = null;
  }
}
