// A part that could not be fetched: say so, until the next try. Nothing else needs a script of ours.
"use strict";
const told = (hidden) => () => {
  document.getElementById("unreachable").hidden = hidden;
};
document.addEventListener("htmx:sendError", told(false));
document.addEventListener("htmx:beforeRequest", told(true));
