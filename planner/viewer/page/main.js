// Puts the parts together, and draws: at most once a frame, and only after something has changed.

import { Dialogs } from "./dialogs.js";
import { Feed } from "./feed.js";
import { Fleet } from "./fleet.js";
import { render } from "./html.js";
import { LogIn } from "./login.js";
import { here } from "./router.js";
import { Session } from "./session.js";
import { shell } from "./shell.js";
import { listen } from "./keys.js";
import { useTheme } from "./theme.js";

/** What a page is given: the session, the fleet, dialogs, and `changed()` to have it drawn again. */
class Context {
  link = "connecting";
  fleet = new Fleet();
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
      (link) => {
        this.link = link;
        this.changed();
      },
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

  over(sentence) {
    this.feed.end();
    this.fleet = new Fleet();
    this.dialogs.close();
    this.ended = sentence;
    this.changed();
  }
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
      document.title = "Log in · DSMTViewer";
      return;
    }
    render(shell(context, here()?.page.name ?? "", open), root);
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
    const found = place ? await place.page.load() : await import("./pages/nowhere.js");
    if (mine !== asked) return;
    open = found.open(context, place?.params ?? [], place?.query ?? new URLSearchParams());
    context.changed();
    window.scrollTo(0, 0);
  }

  function begin() {
    logIn = null;
    context.feed.run();
    go();
  }

  let logIn = null;
  window.addEventListener("hashchange", go);
  window.addEventListener("resize", () => context.changed());
  document.addEventListener("visibilitychange", () => context.changed());
  // Ages grow by themselves.
  setInterval(() => context.changed(), 1000);
  if (context.session.isOpen) begin();
  else draw();
}
