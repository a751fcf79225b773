// Highlights the lines named in the address (#L48 or #L48-L83) and brings them into view.
// The page is complete without it: a single line is highlighted by CSS, marked characters by the server.

"use strict";

const FRAGMENT = /^#L(\d{1,9})(?:-L?(\d{1,9}))?$/;

function wantedLines() {
  const found = FRAGMENT.exec(window.location.hash);
  if (!found) return null;
  const first = Number(found[1]);
  const last = found[2] === undefined ? first : Number(found[2]);
  return first <= last ? { first, last } : { first: last, last: first };
}

function highlight() {
  for (const old of document.querySelectorAll(".hit")) old.classList.remove("hit");
  const wanted = wantedLines();
  if (!wanted) return;
  const lines = Array.from(document.querySelectorAll(".line")).slice(Math.max(wanted.first - 1, 0), wanted.last);
  for (const line of lines) line.classList.add("hit");
  for (const passage of document.querySelectorAll(".passage")) {
    const first = Number(passage.dataset.first);
    const last = Number(passage.dataset.last);
    if (first <= wanted.last && wanted.first <= last) passage.classList.add("hit");
  }
  if (lines.length > 0) show(lines);
}

function show(lines) {
  // Lines can overlap the marked characters only in part; the marks are what the reader came for.
  const mark = document.querySelector(".printed mark");
  const aim = mark && lines.includes(mark.closest(".line")) ? mark : lines[0];
  aim.scrollIntoView({ block: "center" });
  const reading = document.querySelector(".reading");
  const inside = reading.querySelector("mark") ?? reading.querySelector(".passage.hit");
  if (inside && reading.scrollHeight > reading.clientHeight) {
    // Only this pane: `scrollIntoView` would move the whole page away from the lines again.
    reading.scrollTop += inside.getBoundingClientRect().top - reading.getBoundingClientRect().top - reading.clientHeight / 3;
  }
}

window.addEventListener("hashchange", highlight);
highlight();
