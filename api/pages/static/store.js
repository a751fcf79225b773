// Past conversations, kept in this browser alone. The storage may be missing, forbidden, full or hold
// anything: then as much is kept as fits, and the rest of the page does not notice.
//
// A conversation is {id, updated, turns: [{question, asked, reply}]}, the newest first in the list.

export const KEY = "cewen.conversations.v1";
export const LIMITS = { conversations: 50, turns: 40, chars: 1_500_000 };

// Reading the property itself throws where storage is forbidden.
export function browserStorage(name) {
  try {
    return window[name];
  } catch {
    return null;
  }
}

export class ConversationStore {
  #storage;
  #limits;
  #memory = [];

  constructor(storage, limits = LIMITS) {
    this.#storage = storage;
    this.#limits = limits;
  }

  // Read anew each time: another tab may have written.
  list() {
    let stored = null;
    try {
      stored = this.#storage?.getItem(KEY) ?? null;
    } catch {
      return this.#memory;
    }
    if (stored === null) return this.#memory;
    try {
      const parsed = JSON.parse(stored);
      return Array.isArray(parsed) ? parsed.filter(isConversation) : [];
    } catch {
      return [];
    }
  }

  get(id) {
    return this.list().find((each) => each.id === id) ?? null;
  }

  // A question asked alone again takes the place of the first time, so that a reloaded link adds nothing.
  save(conversation) {
    const lone = conversation.turns.length === 1 ? conversation.turns[0].question : null;
    const others = this.list().filter(
      (each) => each.id !== conversation.id && !(each.turns.length === 1 && each.turns[0].question === lone),
    );
    const kept = { ...conversation, turns: conversation.turns.slice(-this.#limits.turns).map(leanTurn) };
    this.#write([kept, ...others]);
  }

  remove(id) {
    this.#write(this.list().filter((each) => each.id !== id));
  }

  clear() {
    this.#write([]);
  }

  #write(conversations) {
    let kept = conversations.slice(0, this.#limits.conversations);
    for (;;) {
      const text = JSON.stringify(kept);
      if (text.length <= this.#limits.chars && this.#put(text)) break;
      // Only a full storage is helped by leaving out the oldest; one that refuses all is given up.
      if (kept.length === 0) {
        this.#memory = conversations.slice(0, this.#limits.conversations);
        return;
      }
      kept = kept.slice(0, -1);
    }
    // What did not fit even alone stays at hand until the page is left.
    this.#memory = kept.length > 0 ? [] : conversations.slice(0, 1);
    if (kept.length === 0 && conversations.length > 0) this.#drop();
  }

  #put(text) {
    try {
      this.#storage.setItem(KEY, text);
      return true;
    } catch {
      return false;
    }
  }

  #drop() {
    try {
      this.#storage.removeItem(KEY);
    } catch {
      // nothing was there
    }
  }
}

// What is shown again or cited; measurements of one moment are not.
function leanTurn(turn) {
  const { timings_ms, explain, fingerprint, calibration, ...reply } = turn.reply;
  return { question: turn.question, asked: turn.asked, reply };
}

function isConversation(value) {
  return (
    isObject(value) && typeof value.id === "string" && Number.isFinite(value.updated) &&
    Array.isArray(value.turns) && value.turns.length > 0 && value.turns.every(isTurn)
  );
}

function isTurn(value) {
  return isObject(value) && typeof value.question === "string" && Number.isFinite(value.asked) && isReply(value.reply);
}

function isReply(value) {
  return (
    isObject(value) && typeof value.status === "string" && typeof value.answer === "string" &&
    isList(value.sentences, (each) => typeof each.text === "string" && Array.isArray(each.citations)) &&
    isList(value.citations, (each) => isPlace(each) && typeof each.quote === "string") &&
    isList(value.related, (each) => isPlace(each) && typeof each.text === "string")
  );
}

function isPlace(value) {
  return typeof value.title === "string" && Array.isArray(value.authors) && typeof value.url === "string";
}

function isList(value, isItem) {
  return Array.isArray(value) && value.every((each) => isObject(each) && isItem(each));
}

function isObject(value) {
  return typeof value === "object" && value !== null;
}
