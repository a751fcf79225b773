// A source too long for one page comes in parts. Here further ones are put to the page as its reader comes
// near them, and the part with a line that the address names takes the place of what is shown.
// Without this, or once something has failed, the links to the parts before and after are plain links.

const NEAR = 1500; // pixels to an end of what is shown
const MOST = 8; // parts on one page, so that it does not grow for ever; its links lead on

const views = document.querySelector(".views");
const printed = document.querySelector(".printed");
const reading = document.querySelector(".reading");
const list = document.querySelector(".lines");
const links = { prev: document.querySelector("a[rel=prev]"), next: document.querySelector("a[rel=next]") };

let held = 1; // parts shown; none are fetched any more once it is `Infinity`
let fetching = false;
let asked = 0; // how often another line was asked for: only the last counts

export const inParts = Boolean(links.prev);

// The number of a line that is shown.
export function numberOf(line) {
  return Number(line.id.slice(1));
}

// The lines shown of a range of numbers; they follow each other without a gap.
export function linesShown({ first, last }) {
  const from = numberOf(list.firstElementChild);
  return Array.from(list.children).slice(Math.max(first - from, 0), Math.max(last - from + 1, 0));
}

// Shows the part with this line, if it is not shown already. False if something else was asked for meanwhile.
export async function show(number) {
  asked += 1;
  const mine = asked;
  const missing = inParts && number <= Number(views.dataset.lines) && linesShown({ first: number, last: number }).length === 0;
  if (!missing) return true;
  const address = new URL(views.dataset.here, window.location.href);
  const here = new URLSearchParams(window.location.search);
  address.searchParams.set("line", number);
  for (const name of ["chars", "collection"]) {
    if (here.has(name)) address.searchParams.set(name, here.get(name));
  }
  const part = await fetched(address.href);
  if (mine !== asked) return false;
  if (part) {
    list.replaceChildren(...part.lines);
    for (const row of rowsOf(reading)) row.remove();
    reading.append(...part.rows);
    for (const rel of ["prev", "next"]) lead(rel, part);
    held = 1;
    noteShown();
  }
  return true;
}

// Fetches further parts from now on; `changed` is called after each.
export function growAsOneScrolls(changed) {
  if (!inParts) return;
  const near = { prev: false, next: false };
  let upwards = false;
  const grow = async (rel) => {
    if (await extend(rel)) {
      changed();
      watch(rel);
    }
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) near[target.rel] = isIntersecting;
      if (near.next) grow("next");
      if (near.prev && upwards) grow("prev");
    },
    { rootMargin: `${NEAR}px 0px` },
  );
  // What is observed anew is looked at anew: a part may be so short that its end is near again.
  const watch = (rel) => {
    observer.unobserve(links[rel]);
    observer.observe(links[rel]);
  };
  watch("prev");
  watch("next");
  // What comes before is put above what one reads. Only who goes up wants it: else a page would not open
  // at its top.
  onScroll(document, () => window.scrollY, (up) => {
    upwards = up;
    if (near.prev && up) grow("prev");
  });
  onScroll(reading, () => reading.scrollTop, (up) => {
    const left = reading.scrollHeight - reading.clientHeight - reading.scrollTop;
    if (up && reading.scrollTop < NEAR) grow("prev");
    else if (!up && left < NEAR) grow("next");
  });
}

function onScroll(scroller, position, then) {
  let before = position();
  scroller.addEventListener("scroll", () => {
    const now = position();
    then(now < before);
    before = now;
  });
}

// Puts the part before or after to the page. False if there is none, or it could not be had.
async function extend(rel) {
  if (fetching || held >= MOST || links[rel].hidden) return false;
  fetching = true;
  const from = asked;
  const part = await fetched(links[rel].href);
  fetching = false;
  if (!part || from !== asked) return false;
  held += 1;
  if (rel === "next") append(part);
  else keepingPlace(() => prepend(part));
  lead(rel, part);
  noteShown();
  return true;
}

async function fetched(address) {
  try {
    const reply = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    // A proxy may have sent something else in its place.
    if (!reply.ok || page.querySelector(".views")?.dataset.here !== views.dataset.here) throw new Error();
    return {
      lines: Array.from(page.querySelector(".lines").children),
      rows: rowsOf(page.querySelector(".reading")),
      prev: page.querySelector("a[rel=prev]").getAttribute("href"),
      next: page.querySelector("a[rel=next]").getAttribute("href"),
    };
  } catch {
    held = Infinity;
    return null;
  }
}

function rowsOf(view) {
  return Array.from(view.children).filter((row) => row.matches(".passage, h3"));
}

function append({ lines, rows }) {
  list.append(...joined(list.lastElementChild, lines, ".text"));
  reading.append(...joined(rowsOf(reading).at(-1), rows, ".body"));
}

// A line or paragraph that was cut where the parts meet becomes one again.
function joined(last, rows, text) {
  const [first, ...others] = rows;
  if (!last || first?.id !== last.id || !first.id) return rows;
  last.querySelector(text).append(...first.querySelector(text).childNodes);
  return others;
}

function prepend({ lines, rows }) {
  const [line, row] = [list.firstElementChild, rowsOf(reading)[0]];
  line.before(...lines);
  if (row) row.before(...rows);
  else reading.append(...rows);
  for (const [cut, text] of [[line, ".text"], [row, ".body"]]) {
    const before = cut?.previousElementSibling;
    if (!before || !cut.id || before.id !== cut.id) continue;
    before.querySelector(text).append(...cut.querySelector(text).childNodes);
    cut.remove();
  }
}

// Lets the page, and the reading pane, grow above what one looks at without moving that.
function keepingPlace(grow) {
  const inPage = printed.checkVisibility() ? list : reading;
  const heightOf = (view) => view.getBoundingClientRect().height;
  const [page, pane, top] = [heightOf(inPage), reading.scrollHeight, reading.scrollTop];
  grow();
  if (reading.scrollHeight > reading.clientHeight) reading.scrollTop = top + reading.scrollHeight - pane;
  window.scrollBy({ top: heightOf(inPage) - page, behavior: "instant" });
}

function lead(rel, part) {
  links[rel].hidden = !part[rel];
  if (part[rel]) links[rel].href = part[rel];
}

function noteShown() {
  document.getElementById("shown-first").textContent = String(numberOf(list.firstElementChild));
  document.getElementById("shown-last").textContent = String(numberOf(list.lastElementChild));
}
