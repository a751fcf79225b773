// An answer as text with its citations, in three formats. Pure: no page, no clock.
//
// `context` is {base, root, accessed}: what links are relative to (see `webAddress`), and the day on which the
// answer was read, as "YYYY-MM-DD". A link that leads to no web page is left out.

import { webAddress } from "./address.js";
import { linesOf, marksOf } from "./sentences.js";

export const FORMATS = [
  { id: "markdown", name: "Markdown" },
  { id: "plain", name: "纯文本" },
  { id: "gbt7714", name: "GB/T 7714" },
];

const WRITERS = { markdown, plain, gbt7714 };

export function cite(format, reply, context) {
  return WRITERS[format](reply, context);
}

// The day of a point in time where the reader is.
export function dayOf(milliseconds) {
  const date = new Date(milliseconds);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function markdown(reply, context) {
  const places = reply.citations.map((citation) => {
    const link = address(citation, context);
    const title = link ? `[${escaped(citation.title)}](${link})` : escaped(citation.title);
    const place = [title, ...authorsAndLines(citation).map(escaped)].join("，");
    const indent = " ".repeat(`${citation.number}. `.length);
    const quote = citation.quote.split("\n").map((line) => `${indent}> ${escaped(line)}`);
    return [`${citation.number}. ${place}`, "", ...quote].join("\n");
  });
  return [...answerLines(reply, escapedSentence), ...places].join("\n\n");
}

function plain(reply, context) {
  const places = reply.citations.map((citation) => {
    const place = [citation.title, ...authorsAndLines(citation)].join("，");
    return [`[${citation.number}] ${place}`, citation.quote, ...some(address(citation, context))].join("\n");
  });
  return [answerLines(reply).join("\n"), ...places].join("\n\n");
}

// GB/T 7714-2015, electronic resource online: 主要责任者. 题名[EB/OL]. (更新日期)[引用日期]. 获取和访问路径.
// The lines stand where the standard has the cited pages, before the date; numbers of a range are joined by
// a hyphen. Without an author the entry begins with the title; of more than three, three are named.
function gbt7714(reply, context) {
  const entries = reply.citations.map((citation) => {
    const title = `${citation.title.trim()}[EB/OL]: ${linesIn(citation, "-")}[${context.accessed}]`;
    const parts = [...some(responsible(citation.authors)), title, ...some(address(citation, context))];
    return `[${citation.number}] ${parts.join(". ")}.`;
  });
  return [answerLines(reply).join("\n"), entries.join("\n")].join("\n\n");
}

function responsible(authors) {
  return authors.length > 3 ? `${authors.slice(0, 3).join(", ")}, 等` : authors.join(", ");
}

function answerLines(reply, write = (text) => text) {
  return linesOf(reply).map((line) =>
    line.map(({ before, sentence }) => before + write(sentence.text) + marksOf(sentence)).join(""),
  );
}

function authorsAndLines(citation) {
  const lines = linesIn(citation, "–");
  return citation.authors.length > 0 ? [citation.authors.join("、"), lines] : [lines];
}

function linesIn(citation, dash) {
  const last = citation.end_line > citation.start_line ? `${dash}${citation.end_line}` : "";
  return `第${citation.start_line}${last}行`;
}

function some(text) {
  return text ? [text] : [];
}

// Parentheses would end a Markdown link.
function address(citation, context) {
  return webAddress(citation.url, context)?.replaceAll("(", "%28").replaceAll(")", "%29") ?? "";
}

// A parenthesis right after the mark of the sentence before would make a link of it.
function escapedSentence(text) {
  return escaped(text).replace(/^\(/, "\\(");
}

function escaped(text) {
  const inline = text.replace(/[\\`*_[\]<>&~|]/g, "\\$&");
  // What begins a heading, a list or a quote only at the start of a line.
  return inline.replace(/^(\s*)([#+-])/, "$1\\$2").replace(/^(\s*\d+)([.)])(?=\s|$)/, "$1\\$2");
}
