// A conversation on the page, and what of it may be stored in this browser.

import { wellFormed } from "./dialogue.js";

export class Conversation {
  #forgotten = new Set();

  constructor(id = newId(), turns = []) {
    this.id = id;
    this.turns = turns;
  }

  answeredBefore(turn) {
    return this.turns.slice(0, this.turns.indexOf(turn)).filter((each) => each.reply);
  }

  // It was deleted while it is shown: it goes on under another id, and what was asked until now is not stored
  // again, neither what is answered nor what is still being answered.
  forget() {
    this.id = newId();
    this.#forgotten = new Set(this.turns);
  }

  // A forgotten turn was asked and answered anew.
  remember(turn) {
    this.#forgotten.delete(turn);
  }

  // As the store takes it.
  toStore() {
    const turns = this.#remembered().filter((turn) => turn.reply);
    return { id: this.id, updated: Date.now(), turns: turns.map(({ question, asked, reply }) => ({ question, asked, reply })) };
  }

  // What the address says of it: a lone question itself, of more the id, and nothing of what is forgotten.
  get fragment() {
    const [first] = this.#remembered();
    if (!first) return "";
    return this.turns.length === 1 ? `#q=${encodeURIComponent(wellFormed(first.question))}` : `#c=${this.id}`;
  }

  #remembered() {
    return this.turns.filter((turn) => !this.#forgotten.has(turn));
  }
}

function newId() {
  // `randomUUID` is missing on insecure origins.
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join("");
}
