// The page of one document: shows the lines named in the address (#L48 or #L48-L83), joins the two views,
// and lets a reader pick lines and copy a link to them.
// The page is complete without it: a single line is highlighted by CSS, marked characters by the server.

import { copyText } from "./clipboard.js";
import { growAsOneScrolls, inParts, linesShown, numberOf, show } from "./parts.js";
import { linesIn, rangeFragment } from "./ranges.js";

const printed = document.querySelector(".printed");
const reading = document.querySelector(".reading");
const picked = document.getElementById("picked");
const arrivedAt = window.location.hash;

function rangeOf(passage) {
  return { first: Number(passage.dataset.first), last: Number(passage.dataset.last) };
}

// Gives the class to these lines and to the paragraphs that stand on them, and to no others.
function paint(name, range) {
  for (const old of document.querySelectorAll(`.${name}`)) old.classList.remove(name);
  if (!range) return;
  for (const line of linesShown(range)) line.classList.add(name);
  for (const passage of passagesOn(range)) passage.classList.add(name);
}

function passagesOn({ first, last }) {
  return Array.from(reading.querySelectorAll(".passage")).filter((passage) => {
    const range = rangeOf(passage);
    return range.first <= last && first <= range.last;
  });
}

async function followAddress() {
  const range = linesIn(window.location.hash);
  if (range && !(await show(range.first))) return;
  paint("hit", range);
  const hits = range ? linesShown(range) : [];
  if (hits.length === 0) return;
  document.getElementById("show-printed").checked = true;
  // Lines can overlap the marked characters only in part; the marks are what the reader came for.
  const mark = printed.querySelector("mark");
  scrollToMiddle(mark && hits.includes(mark.closest(".line")) ? mark : hits[0]);
  scrollReading(reading.querySelector("mark") ?? reading.querySelector(".passage.hit"));
}

function scrollToMiddle(target) {
  target.scrollIntoView({ block: "center", behavior: "instant" });
}

// Only this pane: `scrollIntoView` would move the whole page away from the lines again.
function scrollReading(target) {
  if (!target || reading.scrollHeight <= reading.clientHeight) return;
  const distance = target.getBoundingClientRect().top - reading.getBoundingClientRect().top;
  reading.scrollTop += distance - reading.clientHeight / 3;
}

function pointedAt(target) {
  const passage = target.closest(".passage");
  if (passage) return rangeOf(passage);
  const line = target.closest(".line.own");
  const number = line ? numberOf(line) : 0;
  const around = number ? passagesOn({ first: number, last: number })[0] : null;
  return around ? rangeOf(around) : null;
}

function pick(event, line) {
  if (event.shiftKey) {
    // Shift would open another window.
    event.preventDefault();
    const number = numberOf(line);
    const from = linesIn(window.location.hash)?.first ?? number;
    window.location.hash = rangeFragment(Math.min(from, number), Math.max(from, number));
  }
  // The address has not changed yet where the link itself is followed.
  setTimeout(() => {
    const range = linesIn(window.location.hash);
    if (!range) return;
    const last = range.last > range.first ? `–${range.last}` : "";
    document.getElementById("picked-lines").textContent = `已选第 ${range.first}${last} 行`;
    picked.hidden = false;
  });
}

// The marked characters belong to the lines of the link that was followed here, not to any others.
function linkToPicked() {
  const link = new URL(window.location.href);
  if (link.hash === arrivedAt) return link.href;
  const collection = link.searchParams.get("collection");
  link.search = "";
  if (collection) link.searchParams.set("collection", collection);
  // Without script a line of a source in parts is found by this alone.
  if (inParts) link.searchParams.set("line", linesIn(link.hash).first);
  return link.href;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("a")) {
    const line = event.target.closest(".number")?.closest(".line");
    // With these keys a browser opens the link elsewhere or saves it.
    if (line && !event.ctrlKey && !event.metaKey && !event.altKey) pick(event, line);
    return;
  }
  const range = pointedAt(event.target);
  if (!range || !window.getSelection().isCollapsed) return;
  paint("near", range);
  if (event.target.closest(".passage")) {
    const [line] = linesShown(range);
    if (line && printed.checkVisibility()) scrollToMiddle(line);
  } else scrollReading(passagesOn(range)[0]);
});

document.querySelector(".views").addEventListener("pointerover", (event) => {
  if (event.pointerType === "mouse") paint("near", pointedAt(event.target));
});

document.getElementById("picked-copy").addEventListener("click", async () => {
  const copied = await copyText(linkToPicked());
  document.getElementById("picked-lines").textContent = copied ? "已复制链接" : "浏览器不让复制，请从地址栏复制";
});

window.addEventListener("hashchange", followAddress);
followAddress();
// Once a page is loaded, a browser goes to the beginning of the line itself: in a long one, away from the marks.
window.addEventListener("load", followAddress);
growAsOneScrolls(() => paint("hit", linesIn(window.location.hash)));
