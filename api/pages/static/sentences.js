// The sentences of a reply as they stand in its text: in lines, and apart by what the service put between.

export function marksOf(sentence) {
  return sentence.citations.map((number) => `[${number}]`).join("");
}

// The text without the marks: what the source itself has in brackets stays.
export function wordsOf(reply) {
  if (reply.sentences.length === 0) return reply.answer;
  return linesOf(reply)
    .map((line) => line.map(({ before, sentence }) => before + sentence.text).join(""))
    .join("\n");
}

// Lines of [{before, sentence}], `before` being "" or a space. The text is only asked for what stands
// between sentences; were it to differ from them, each gets a line of its own.
export function linesOf(reply) {
  const lines = [];
  let cursor = 0;
  for (const sentence of reply.sentences) {
    const written = sentence.text + marksOf(sentence);
    const at = reply.answer.indexOf(written, cursor);
    const between = at === -1 ? "\n" : reply.answer.slice(cursor, at);
    if (lines.length === 0 || between.includes("\n")) lines.push([]);
    const line = lines[lines.length - 1];
    line.push({ before: line.length > 0 && /\s/.test(between) ? " " : "", sentence });
    if (at !== -1) cursor = at + written.length;
  }
  return lines;
}
