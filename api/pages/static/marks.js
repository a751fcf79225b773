// The marks [n] of an answer: links to the source, each knowing the citation it stands for.

import { sourceLink } from "./dom.js";

const citations = new WeakMap();

export function citationOf(mark) {
  return citations.get(mark) ?? null;
}

// `quoteId` names the element that holds the quote, for screen readers; the list under an answer has it.
export function markLink(citation, quoteId = "") {
  const mark = sourceLink("cite", `[${citation.number}]`, citation.url);
  mark.setAttribute("aria-label", `引文 ${citation.number}：${citation.title}，${linesOfPlace(citation)}`);
  if (quoteId) mark.setAttribute("aria-describedby", quoteId);
  citations.set(mark, citation);
  return mark;
}

export function linesOfPlace(place) {
  return place.start_line === place.end_line ? `第 ${place.start_line} 行` : `第 ${place.start_line}–${place.end_line} 行`;
}

export const MATCHES = {
  exact: "逐字相同",
  normalised: "书写形式略有不同",
  supported: "转述，已核对",
};

// Author, paragraph, lines and how the quote was matched, in one line.
export function describePlace(place) {
  const parts = [...(place.authors.length > 0 ? [place.authors.join("、")] : [])];
  parts.push(place.paragraph > 0 ? `第 ${place.paragraph} 段` : "标题、署名或附注", linesOfPlace(place));
  if (MATCHES[place.match]) parts.push(MATCHES[place.match]);
  return parts.join(" · ");
}
