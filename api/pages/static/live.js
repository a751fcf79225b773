// Text that is still arriving. Marks become links as soon as their citation is known; a mark cut in two by
// the stream waits for its other half. The finished answer is drawn anew from its structure.

import { markLink } from "./marks.js";

export class LiveText {
  #box;
  #known = new Map();
  #rest = "";

  constructor(box) {
    this.#box = box;
  }

  know(citations) {
    this.#known = new Map(citations.map((citation) => [`[${citation.number}]`, citation]));
  }

  add(text) {
    const all = this.#rest + text;
    const open = all.search(/\[\d*$/);
    this.#rest = open === -1 ? "" : all.slice(open);
    this.#write(open === -1 ? all : all.slice(0, open));
  }

  end() {
    this.#write(this.#rest);
    this.#rest = "";
  }

  #write(text) {
    for (const part of text.split(/(\[\d+\])/)) {
      const citation = this.#known.get(part);
      if (part) this.#box.append(citation ? markLink(citation) : part);
    }
  }
}
