// Past conversations, kept in this browser. (What of one is sent when it is taken up again: see dialogue.js.)
// The storage may be missing, forbidden, full or hold anything: then as much is kept as fits, and the rest of
// the page does not notice.
//
// A conversation is {id, updated, turns: [{question, asked, reply}]}, the newest first in the list.

export const KEY = "cewen.conversations.v1";
export const DEFAULT = "default";
export const LIMITS = { conversations: 50, turns: 40, chars: 1_500_000 };

// Which collection a conversation was about; its replies say so.
export function collectionOf({ turns }) {
  return turns.find((turn) => turn.reply)?.reply.collection ?? DEFAULT;
}

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
  #memory = []; // what the storage would not take; at hand until the page is left

  constructor(storage, limits = LIMITS) {
    this.#storage = storage;
    this.#limits = limits;
  }

  // Read anew each time: another tab may have written.
  list() {
    const inMemory = new Set(this.#memory.map(({ id }) => id));
    const stored = this.#stored().filter(({ id }) => !inMemory.has(id));
    return [...this.#memory, ...stored].sort((one, other) => other.updated - one.updated);
  }

  #stored() {
    try {
      const parsed = JSON.parse(this.#storage.getItem(KEY));
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
    const again = (each) => asksAlone(each, conversation);
    const others = this.list().filter((each) => each.id !== conversation.id && !again(each));
    const turns = conversation.turns.slice(-this.#limits.turns).map(leanTurn);
    this.#write([{ ...conversation, turns }, ...others]);
  }

  remove(id) {
    this.#write(this.list().filter((each) => each.id !== id));
  }

  clear() {
    this.#write([]);
  }

  #write(conversations) {
    const wanted = conversations.slice(0, this.#limits.conversations);
    const kept = this.#keep(wanted);
    if (kept === null) {
      this.#memory = wanted;
      if (wanted.length === 0) this.#drop(); // a reader who clears wants nothing left
      return;
    }
    // The first was tried alone, so if it is missing it is too large; others had to make room.
    const tooLarge = (each, at) => !kept.includes(each) && (at === 0 || this.#memory.includes(each));
    this.#memory = wanted.filter(tooLarge);
  }

  // Puts in as many as fit, the newest first, passing over one that does not. Gives those that are in, or null
  // if the storage takes nothing at all.
  #keep(wanted) {
    let room = this.#limits.chars - 1; // for "[", and after each "," or "]"
    const fitting = wanted.filter((each) => {
      const size = JSON.stringify(each).length + 1;
      if (size > room) return false;
      room -= size;
      return true;
    });
    if (this.#put(fitting)) return fitting;
    // The storage has less room than that: how much shows only on trying.
    const kept = [];
    for (const each of wanted) {
      if (this.#put([...kept, each])) kept.push(each);
    }
    return kept.length > 0 || this.#put([]) ? kept : null;
  }

  #put(conversations) {
    const text = JSON.stringify(conversations);
    if (text.length > this.#limits.chars) return false;
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

// Whether both are nothing but the same question, put to the same collection.
function asksAlone(one, other) {
  return (
    one.turns.length === 1 && other.turns.length === 1 &&
    one.turns[0].question === other.turns[0].question && collectionOf(one) === collectionOf(other)
  );
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
