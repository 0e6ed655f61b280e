// Puts the parts together, and draws: at most once a frame, and only after something has changed.

import { Dialogs } from "./dialogs.js";
import { Feed } from "./feed.js";
import { Fleet } from "./fleet.js";
import { html, render } from "./html.js";
import { LogIn } from "./login.js";
import { here } from "./router.js";
import { Session } from "./session.js";
import { shell } from "./shell.js";
import { listen } from "./keys.js";
import { useTheme } from "./theme.js";

/** What a page is given: the session, the fleet, dialogs, and `changed()` to have it drawn again. */
class Context {
  link = "connecting";
  /** Since when it is not live, in milliseconds; 0: it is. */
  lostAt = 0;
  /** Who was logged in when the login ended without the reader's doing, or null. */
  was = null;
  fleet = new Fleet();
  #role = "";
  #pending = false;
  #draw;

  constructor(draw) {
    this.#draw = draw;
    this.session = new Session((sentence) => this.over(sentence));
    this.dialogs = new Dialogs(() => this.changed());
    this.feed = new Feed(
      this.session,
      (said) => {
        this.fleet.hear(said);
        this.changed();
      },
      (link) => this.#linked(link),
    );
  }

  changed() {
    if (this.#pending) return;
    this.#pending = true;
    const drawn = () => {
      this.#pending = false;
      this.#draw();
    };
    // A tab in the background gets no frames; once a second keeps its title true.
    if (document.hidden) setTimeout(drawn, 1000);
    else requestAnimationFrame(drawn);
  }

  /** The login is over; with a sentence: without the reader's doing, who goes on later where this was. */
  over(sentence) {
    this.feed.end();
    this.was = sentence ? { account: this.fleet.you.account, role: this.#role } : null;
    this.fleet.forget();
    if (!sentence) this.dialogs.close();
    this.ended = sentence;
    this.changed();
  }

  /** Somebody has logged in; `role` as it was chosen, empty for the strongest. */
  begin(account, role) {
    this.#role = role;
    if (this.was?.account !== account) this.dialogs.close();
    this.ended = "";
    this.lostAt = 0;
  }

  #linked(link) {
    this.link = link;
    if (link !== "live") this.lostAt ||= Date.now();
    else {
      this.lostAt = 0;
      // What is asked may have other consequences by now.
      this.dialogs.again();
    }
    this.changed();
  }
}

function keepFocus() {
  if (document.activeElement === document.body) document.querySelector("#main")?.focus({ preventScroll: true });
}

/** In the place of a page whose module cannot be had, or does not fit those that are here. */
function unloaded(error) {
  const view = () =>
    html`<h1>This page could not be loaded</h1>
      <p class="refused" role="alert">${error.message}</p>
      <p>
        The planner does not answer, or is another one by now.
        <button @click=${() => location.reload()}>Load everything anew</button>
      </p>`;
  return { open: () => ({ title: "Not loaded", view }) };
}

export async function start(root) {
  useTheme();
  listen();
  let open = null;
  let asked = 0;
  const context = new Context(draw);

  function draw() {
    if (!context.session.isOpen) {
      open?.close?.();
      open = null;
      logIn ??= new LogIn(context, begin);
      render(logIn.view(), root);
      logIn.drawn(root);
      document.title = "Log in · DSMTViewer";
      return;
    }
    render(shell(context, here(), open), root);
    if (open) {
      document.title = `${open.title} · DSMTViewer`;
      open.drawn?.(root);
    }
    context.dialogs.drawn(root);
  }

  async function go() {
    if (!context.session.isOpen) return;
    const mine = (asked += 1);
    open?.close?.();
    open = null;
    const place = here();
    const found = await (place ? place.page.load() : import("./pages/nowhere.js")).catch(unloaded);
    if (mine !== asked) return;
    open = found.open(context, place?.params ?? [], place?.query ?? new URLSearchParams());
    context.changed();
    window.scrollTo(0, 0);
    // The link that was followed has gone with its page: the keyboard goes on with the content.
    if (mine > 1) requestAnimationFrame(keepFocus);
  }

  function begin() {
    logIn = null;
    context.feed.run();
    go();
  }

  let logIn = null;
  window.addEventListener("hashchange", go);
  window.addEventListener("resize", () => context.changed());
  window.addEventListener("online", () => context.feed.hasten());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) context.feed.hasten();
    context.changed();
  });
  // Ages grow by themselves.
  setInterval(() => {
    context.feed.look();
    context.changed();
  }, 1000);
  if (context.session.isOpen) begin();
  else draw();
}
