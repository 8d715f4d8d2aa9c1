// A part that could not be fetched: say so, until the next try. Nothing else needs a script of ours.
"use strict";
let told;
document.addEventListener("htmx:sendError", () => {
  const note = document.getElementById("unreachable");
  told ??= note.content.firstElementChild.cloneNode(true);
  note.after(told);
});
document.addEventListener("htmx:beforeRequest", () => told?.remove());
