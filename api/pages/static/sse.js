// Server-sent events from a fetched body, after the WHATWG rules for event streams. Chunks may be cut
// anywhere: inside a character, inside a line end, inside an event.

export class EventParser {
  #rest = "";
  #endedInReturn = false;
  #name = "";
  #data = [];

  // Takes the next piece of text and gives the events it completes, each {event, data}.
  push(piece) {
    if (piece === "") return [];
    // "\r\n" may come in two pieces; its "\n" then ends nothing.
    const text = this.#rest + (this.#endedInReturn && piece.startsWith("\n") ? piece.slice(1) : piece);
    this.#endedInReturn = piece.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    this.#rest = lines.pop();
    return lines.map((line) => this.#read(line)).filter((event) => event !== null);
  }

  #read(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    if (field === "data") this.#data.push(value);
    return null;
  }

  #dispatch() {
    const event = this.#data.length > 0 ? { event: this.#name || "message", data: this.#data.join("\n") } : null;
    this.#name = "";
    this.#data = [];
    return event;
  }
}

// The events of a `ReadableStream` of bytes. One that the end cuts off is not an event.
export async function* readEvents(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      yield* parser.push(done ? decoder.decode() : decoder.decode(value, { stream: true }));
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
