// Makes elements. Every text goes in through `textContent`, so that nothing in a question, an answer or a
// document can become markup; a link is set only if it leads to a web page.

import { webAddress } from "./address.js";

// What the links of a reply are relative to.
export const HERE = { base: document.baseURI, root: document.body.dataset.root };

export function element(tag, className = "", text = undefined) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function button(className, text, onClick) {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

// Source pages open beside the conversation instead of in its place.
export function sourceLink(className, text, url) {
  const made = element("a", className, text);
  const address = webAddress(url, HERE);
  if (address) made.href = address;
  made.target = "_blank";
  made.rel = "noopener";
  return made;
}
