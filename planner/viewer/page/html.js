// The one way from values to markup: a text in a template is text, whatever it holds.

export { html, nothing, render, svg } from "./fetched/lit-html/lit-html.js";
export { repeat } from "./fetched/lit-html/directives/repeat.js";
