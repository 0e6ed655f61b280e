// Starts the page, or says in plain words why it cannot be started.

const MISSING = `The page's libraries are not installed beside this planner.

On the planner's machine, run:  python planner/viewer/assets.py
(in the directory of DSMT; make setup does it too), then load this page again.
Meanwhile dsmtc shows and does the same: dsmtc status, dsmtc nodes.`;

try {
  const { start } = await import("./main.js");
  await start(document.querySelector("#page"));
} catch (error) {
  console.error(error);
  const found = await fetch("fetched/lit-html/lit-html.js", { method: "HEAD" }).catch(() => null);
  const said = document.createElement("pre");
  said.className = "unstarted";
  said.textContent = found?.ok === false ? MISSING : `The page could not be started: ${error.message}`;
  document.querySelector("#page").replaceChildren(said);
}
