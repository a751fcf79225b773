// Makes elements. Every text goes in through `textContent`, so that nothing in a question, an answer or a
// document can become markup; a link is set only if it leads to a web page.

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

// No `javascript:` and the like, whatever a reply says.
export function safeUrl(url) {
  try {
    const parsed = new URL(url, document.baseURI);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}

// Source pages open beside the conversation instead of in its place.
export function sourceLink(className, text, url) {
  const made = element("a", className, text);
  const safe = safeUrl(url);
  if (safe) made.href = safe;
  made.target = "_blank";
  made.rel = "noopener";
  return made;
}
