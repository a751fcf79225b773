// What of a conversation goes along with the next question.

// The service counts Unicode code points; `length` counts UTF-16 units, two for a rare character.
export function countChars(text) {
  return Array.from(text).length;
}

// A half of a surrogate pair would be refused as no text.
export function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function clip(text, maxChars) {
  return Array.from(wellFormed(text)).slice(0, maxChars).join("");
}

function messages(turn, maxChars) {
  if (!turn.reply || !turn.reply.answer.trim()) return [];
  return [
    { role: "user", content: clip(turn.question, maxChars) },
    { role: "assistant", content: clip(turn.reply.answer, maxChars) },
  ];
}

// The body of /v1/ask: the question with as many of the latest turns as fit. A question is never without
// its answer. `limits` is {turns, turnChars, bytes}; `collection` is named where it is not
// the default one.
export function askBody(question, turns, limits, collection = "default") {
  const about = collection === "default" ? {} : { collection };
  let history = turns.flatMap((turn) => messages(turn, limits.turnChars)).slice(-(limits.turns - (limits.turns % 2)));
  for (;;) {
    const body = { question: wellFormed(question), history, ...about, stream: true };
    const bytes = new TextEncoder().encode(JSON.stringify(body)).length;
    if (bytes <= limits.bytes || history.length === 0) return body;
    history = history.slice(2);
  }
}
