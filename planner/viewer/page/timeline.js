// The line of time: how much happened when, where the reader stands, and what moves them.

import { html, nothing, render, svg } from "./html.js";
import { count, moment, span } from "./words.js";

/** Lengths that can be looked at, and how much faster than the world each is played at first. */
export const WINDOWS = [
  { name: "15min", word: "15 minutes", length: 900, speed: 10 },
  { name: "1h", word: "1 hour", length: 3_600, speed: 60 },
  { name: "6h", word: "6 hours", length: 21_600, speed: 600 },
  { name: "1d", word: "1 day", length: 86_400, speed: 600 },
  { name: "7d", word: "7 days", length: 604_800, speed: 3_600 },
];
export const SPEEDS = [1, 10, 60, 600, 3_600];
// Drawn, for not every machine has a font with such signs.
const MARKS = {
  before: "M2 2h2v8H2zM11 2v8L5 6z",
  play: "M3 1.5v9L10.5 6z",
  pause: "M2.5 2h2.5v8H2.5zM7 2h2.5v8H7z",
  next: "M8 2h2v8H8zM1 2v8l6-4z",
};
const BINS = 180;
const DAY = 86_400;
const TYPED = /^(?:(\d{4})-(\d\d)-(\d\d)[ T]+)?(\d{1,2}):(\d\d)(?::(\d\d))?$/;

/**
 * The moment that a text means on this reader's clock, in seconds since 1970; null when it is none.
 *
 * @param near without a day it is that of this moment, or the day before when it were to come.
 */
export function typed(text, near, now) {
  const found = TYPED.exec(text.trim());
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1).map((one) => Number(one ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return null;
  const at = found[1] ? new Date(year, month - 1, day) : new Date(near * 1000);
  if (found[1] && (at.getMonth() !== month - 1 || at.getDate() !== day)) return null;
  at.setHours(hour, minute, second, 0);
  const seconds = at.getTime() / 1000;
  return !found[1] && seconds > now ? seconds - DAY : seconds;
}

/** As somebody would type it. */
export function written(seconds) {
  const at = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/**
 * @param past a `Bygone`.
 * @param state {window, speed, isPlaying, slice, wrong, now}: what is chosen; what is wrong with the time
 *   that was typed; the planner's time.
 * @param does {go, play, step, speed, window, move, type}: called when the reader wants it.
 */
export function timeline(past, state, does) {
  const { window: shown, speed, isPlaying } = state;
  return html`<section class="panel timeline" aria-label="Time">
    <div class="controls">
      <span class="acts" role="group" aria-label="Replay">
        ${sign(MARKS.before, "To the change before ( , )", () => does.step(-1), past.last(state.slice) === null)}
        ${sign(isPlaying ? MARKS.pause : MARKS.play, isPlaying ? "Pause ( space )" : "Play ( space )", does.play, false, "primary")}
        ${sign(MARKS.next, "To the next change ( . )", () => does.step(1), past.next(state.slice) === null)}
      </span>
      ${choice("Speed", "speed", SPEEDS, speed, (one) => [one, `${one.toLocaleString("en")}×`], (value) => does.speed(Number(value)))}
      <form class="moment" @submit=${(event) => submitted(event, does.type)}>
        <label
          >At
          <input
            name="at"
            .value=${written(past.now)}
            aria-invalid=${state.wrong ? "true" : nothing}
            aria-describedby=${state.wrong ? "at-wrong" : nothing}
            title="A time such as 14:05 or 2026-11-28 14:05:30, then Enter"
            autocomplete="off"
            spellcheck="false"
        /></label>
        <button>Go</button>
      </form>
      <span class="space"></span>
      <button @click=${() => does.move(-1)}>Earlier</button>
      ${choice("Window", "window", WINDOWS, shown.name, ({ name, word }) => [name, word], does.window)}
      <button @click=${() => does.move(1)} ?disabled=${past.end >= state.now - 2}>Later</button>
    </div>
    ${state.wrong ? html`<p class="refused" id="at-wrong" role="alert">${state.wrong}</p>` : nothing}
    ${strip(past, state.slice)}
    <input
      type="range"
      class="slide"
      aria-label="Moment"
      min="0"
      max=${past.end - past.begin}
      step=${Math.max(shown.length / 900, 1)}
      .value=${String(past.now - past.begin)}
      aria-valuetext=${written(past.now)}
      @input=${(event) => does.go(past.begin + Number(event.target.value))}
    />
    <p class="ends quiet">
      <span>${moment(past.begin)}</span>
      <span
        >${count(past.changes.length, "change")}${past.gaps.length ? `; the planner was away ${count(past.gaps.length, "time")} (hatched)` : ""}</span
      >
      <span>${past.end >= state.now - 2 ? "now" : moment(past.end)}</span>
    </p>
  </section>`;
}

function sign(mark, says, act, isOff, kind = "") {
  return html`<button class=${kind} @click=${act} ?disabled=${isOff} title=${says}>
    <svg class="mark" viewBox="0 0 12 12" aria-hidden="true"><path d=${mark}></path></svg
    ><span class="unseen">${says}</span>
  </button>`;
}

function choice(label, name, values, chosen, say, set) {
  return html`<label
    ><span class="unseen">${label}</span>
    <select name=${name} title=${label} @change=${(event) => set(event.target.value)}>
      ${values.map((one) => {
        const [value, word] = say(one);
        return html`<option value=${value} ?selected=${String(value) === String(chosen)}>${word}</option>`;
      })}
    </select></label
  >`;
}

function submitted(event, type) {
  event.preventDefault();
  type(new FormData(event.target).get("at"));
}

/** Made anew only for another past or slice: it is the same at each moment. */
let kept = { past: null, slice: "", failures: 0, node: null };

function strip(past, slice) {
  if (kept.past !== past || kept.slice !== slice) kept = { past, slice, ...bars(past, slice) };
  const at = (BINS * (past.now - past.begin)) / (past.end - past.begin);
  const failed = kept.failures ? count(kept.failures, "failure") : "no failure";
  return html`<svg
    class="strip"
    viewBox="0 0 ${BINS} 30"
    preserveAspectRatio="none"
    role="img"
    aria-label="What happened when: ${failed} in ${span(past.end - past.begin)}"
  >
    <defs>
      <pattern id="hatched" width="0.8" height="30" patternUnits="userSpaceOnUse">
        <rect class="hatch" width="0.3" height="30"></rect>
      </pattern>
    </defs>
    ${kept.node}
    <line class="stand" x1=${at} x2=${at} y1="0" y2="30" vector-effect="non-scaling-stroke"></line>
  </svg>`;
}

function bars(past, slice) {
  const bins = past.activity(BINS, slice);
  const most = Math.max(1, ...bins.map(({ failed, other }) => failed + other));
  const failures = bins.reduce((sum, { failed }) => sum + failed, 0);
  // A single failure has to be seen beside thousands of changes.
  const high = (number) => (number ? 3 + (25 * Math.log(number)) / Math.max(Math.log(most), 1) : 0);
  const gap = ([begin, end]) => {
    const [from, to] = [begin, end].map((at) => (BINS * (at - past.begin)) / (past.end - past.begin));
    return svg`<rect fill="url(#hatched)" x=${from} width=${Math.max(to - from, 0.4)} y="0" height="30"></rect>`;
  };
  const bar = ({ failed, other }, bin) => {
    const [all, ill] = [high(failed + other), high(failed)];
    return svg`${other ? svg`<rect class="other" x=${bin + 0.1} width="0.8" y=${30 - all} height=${all}></rect>` : nothing}
      ${failed ? svg`<rect class="failed" x=${bin + 0.1} width="0.8" y=${30 - ill} height=${ill}></rect>` : nothing}`;
  };
  const node = document.createElementNS("http://www.w3.org/2000/svg", "g");
  render(svg`${past.gaps.map(gap)}${bins.map(bar)}`, node);
  return { failures, node };
}
