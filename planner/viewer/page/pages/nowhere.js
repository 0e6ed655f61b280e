// An address that means nothing.

import { html } from "../html.js";
import { to } from "../router.js";

export function open() {
  return {
    title: "Not found",
    view: () =>
      html`<h1>There is no such page</h1>
        <p><a href=${to("fleet")}>The fleet</a> is where everything begins.</p>`,
  };
}
