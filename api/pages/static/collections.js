// Which collection is asked: named in the address (?collection=…), chosen from a list in the bar that appears
// where there is a choice. Each entry is a link, so choosing is opening another page; nothing happens by itself.

import { element } from "./dom.js";
import { getJson, ServiceError } from "./service.js";
import { DEFAULT } from "./store.js";

const choice = document.getElementById("collections");

// The collection of this page.
export function currentCollection() {
  return new URLSearchParams(window.location.search).get("collection") || DEFAULT;
}

// The query of an address that is about a collection, "" for the default one.
export function queryFor(collection) {
  return collection === DEFAULT ? "" : `?collection=${encodeURIComponent(collection)}`;
}

// Without the list the page is about its own collection all the same.
export async function offerCollections() {
  let collections;
  try {
    ({ collections } = await getJson("/v1/collections"));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return;
  }
  const current = currentCollection();
  const known = collections.some(({ name }) => name === current);
  if (collections.length < 2 && known) return;
  const items = collections.map((each) => collectionItem(each, current));
  document.getElementById("collection-list").replaceChildren(...items);
  document.getElementById("collection-name").textContent = known ? current : `${current}（没有）`;
  choice.hidden = false;
}

function collectionItem({ name, documents }, current) {
  const item = element("li");
  const link = element("a", "", name);
  link.href = window.location.pathname + queryFor(name);
  if (name === current) link.setAttribute("aria-current", "page");
  link.append(element("span", "where", `${documents} 篇`));
  item.append(link);
  return item;
}

function close() {
  if (!choice.open) return;
  if (choice.contains(document.activeElement)) choice.querySelector("summary").focus();
  choice.open = false;
}

choice.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});
choice.addEventListener("focusout", (event) => {
  // Without a target the focus has left the window, or a click fell on something that takes none.
  if (event.relatedTarget && !choice.contains(event.relatedTarget)) choice.open = false;
});
document.addEventListener("pointerdown", (event) => {
  if (!choice.contains(event.target)) choice.open = false;
});
