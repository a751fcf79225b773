// The small card that shows what a mark stands for: on hover, on keyboard focus, on the first tap. Escape, a
// click elsewhere or leaving it closes it. Screen readers hear the same quote as the mark's description.

import { element, sourceLink } from "./dom.js";
import { citationOf, describePlace } from "./marks.js";

const HIDE_AFTER_MS = 250; // time to move the pointer from the mark into the card
const MARGIN = 8;

let card = null;
let shownFor = null;
let hiding = 0;
let tap = null; // {mark, wasOpen} of a touch that may become a click

export function watchMarks(host) {
  host.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const mark = markAt(event.target);
    if (mark) show(mark, host);
    else if (card?.contains(event.target)) clearTimeout(hiding);
  });
  host.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "touch" && (markAt(event.target) || card?.contains(event.target))) hideSoon();
  });
  host.addEventListener("focusin", (event) => {
    const mark = markAt(event.target);
    if (mark?.matches(":focus-visible") && !tap) show(mark, host);
  });
  host.addEventListener("focusout", (event) => {
    if (markAt(event.target) && !card?.contains(event.relatedTarget)) hideSoon();
  });
  document.addEventListener("pointerdown", (event) => {
    const mark = markAt(event.target);
    tap = mark && event.pointerType === "touch" ? { mark, wasOpen: mark === shownFor } : null;
    if (!mark && !card?.contains(event.target)) hide();
  });
  host.addEventListener("click", (event) => {
    const mark = markAt(event.target);
    if (!mark || tap?.mark !== mark || tap.wasOpen) return;
    event.preventDefault(); // the first tap shows, the second opens
    tap = null;
    show(mark, host);
  });
  window.addEventListener("resize", hide); // it would point at nothing
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
}

function markAt(target) {
  const mark = target instanceof Element ? target.closest("a.cite") : null;
  return mark && citationOf(mark) ? mark : null;
}

function show(mark, host) {
  clearTimeout(hiding);
  if (mark === shownFor) return;
  hide();
  shownFor = mark;
  card = cardOf(citationOf(mark));
  host.append(card);
  place(mark);
}

function hideSoon() {
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    // A mark that has the focus keeps its card when only the pointer leaves, and the other way round.
    if (document.activeElement === shownFor && shownFor?.matches(":focus-visible")) return;
    if (shownFor?.matches(":hover") || card?.matches(":hover")) return;
    hide();
  }, HIDE_AFTER_MS);
}

// Also for those who are about to take its mark away.
export function hide() {
  clearTimeout(hiding);
  if (card?.contains(document.activeElement)) shownFor.focus({ preventScroll: true });
  card?.remove();
  card = null;
  shownFor = null;
}

function cardOf(citation) {
  const made = element("div", "peek");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", `引文 ${citation.number}`);
  made.append(
    element("p", "source", citation.title),
    element("p", "where", describePlace(citation)),
    element("blockquote", "", citation.quote),
  );
  const open = element("p", "open");
  open.append(sourceLink("", "在原文中查看", citation.url));
  made.append(open);
  return made;
}

// Under the mark, or above it where there is no room under it; never over the edge of the page.
function place(mark) {
  const at = mark.getClientRects()[0] ?? mark.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = card;
  const page = document.documentElement;
  const floor = document.querySelector(".composer")?.getBoundingClientRect().top ?? window.innerHeight;
  const left = Math.max(MARGIN, Math.min(at.left + at.width / 2 - width / 2, page.clientWidth - width - MARGIN));
  const above = at.bottom + height + MARGIN > floor && at.top > height + MARGIN;
  const top = above ? at.top - height - MARGIN / 2 : at.bottom + MARGIN / 2;
  card.style.left = `${left + window.scrollX}px`;
  card.style.top = `${top + window.scrollY}px`;
}
