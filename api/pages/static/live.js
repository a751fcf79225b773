// Text that is still arriving. The marks that a part ends in become links at once: their citations came before.
// The finished answer is drawn anew from its structure.

import { markLink } from "./marks.js";

export class LiveText {
  #box;
  #known = new Map();

  constructor(box) {
    this.#box = box;
  }

  know(citations) {
    this.#known = new Map(citations.map((citation) => [citation.number, citation]));
  }

  // `numbers` are those of the marks that the service has put at the end of the text. A source may itself say
  // "[1]", which is no mark.
  add(text, numbers = []) {
    const marks = numbers.map((number) => `[${number}]`).join("");
    const marked = marks !== "" && text.endsWith(marks);
    this.#box.append(marked ? text.slice(0, -marks.length) : text);
    if (!marked) return;
    for (const number of numbers) {
      const citation = this.#known.get(number);
      this.#box.append(citation ? markLink(citation) : `[${number}]`);
    }
  }
}
