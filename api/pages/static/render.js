// Builds the parts of the ask page from the service's JSON. Every text goes in through `textContent`,
// so nothing in a question, an answer or a document can become markup.

const REASONS = {
  off_topic: "问题与文库的内容无关",
  not_stated: "文库里没有说到",
  false_premise: "问题的前提与原文不符",
  too_vague: "问题太笼统，请说得具体些",
};
const MATCHES = { normalised: "书写形式略有不同", supported: "转述，已核对" };

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function answerBox(reply) {
  const box = element("div", `answer ${reply.status === "answered" ? "answered" : "abstained"}`);
  if (reply.status === "answered") {
    for (const sentence of reply.sentences) box.append(sentenceLine(sentence));
  } else {
    box.append(element("p", "verdict", REASONS[reply.reason] ?? "文库里找不到答案"));
    box.append(element("p", "sentence", reply.answer));
  }
  const notes = [`文库能回答的可能性 ${Math.round(reply.confidence * 100)}%`, `生成器 ${reply.generator}`];
  box.append(element("p", "meta", notes.join(" · ")));
  if (reply.degraded) box.append(element("p", "meta", reply.degraded.message));
  return box;
}

function sentenceLine(sentence) {
  const line = element("p", "sentence", sentence.text);
  for (const number of sentence.citations) {
    const mark = element("a", "cite", `[${number}]`);
    mark.href = `#cite-${number}`;
    mark.dataset.card = `cite-${number}`;
    mark.setAttribute("aria-label", `引文 ${number}`);
    line.append(mark);
  }
  if (MATCHES[sentence.match]) line.append(element("span", "badge", MATCHES[sentence.match]));
  return line;
}

export function citationCards(citations) {
  const list = element("ol", "cards");
  for (const citation of citations) {
    const card = passageCard(citation, citation.quote, `[${citation.number}]`);
    card.id = `cite-${citation.number}`;
    card.tabIndex = -1;
    list.append(card);
  }
  return list;
}

export function relatedCards(passages) {
  const list = element("ol", "cards");
  for (const passage of passages) list.append(passageCard(passage, passage.text, ""));
  return list;
}

function passageCard(place, text, number) {
  const card = element("li", "card");
  const source = element("p", "source");
  if (number) source.append(element("span", "number", number));
  source.append(element("span", "", place.title));
  card.append(source, element("p", "where", describePlace(place)), element("blockquote", "", text));
  const url = safeUrl(place.url);
  if (url) {
    const open = element("p", "open");
    const link = element("a", "", "在原文中查看");
    link.href = url;
    open.append(link);
    card.append(open);
  }
  return card;
}

function describePlace(place) {
  const lines =
    place.start_line === place.end_line ? `第 ${place.start_line} 行` : `第 ${place.start_line}–${place.end_line} 行`;
  const paragraph = place.paragraph > 0 ? `第 ${place.paragraph} 段` : "标题、署名或附注";
  const parts = [paragraph, lines];
  if (place.authors.length > 0) parts.unshift(place.authors.join("、"));
  if (MATCHES[place.match]) parts.push(MATCHES[place.match]);
  return parts.join(" · ");
}

export function documentLink(root, entry) {
  const item = element("li");
  const link = element("a", "", entry.label);
  link.href = `${root}/documents/${encodeURIComponent(entry.id)}`;
  item.append(link);
  return item;
}

// A link in a reply is followed only when it leads to a web page: no `javascript:` and the like.
function safeUrl(url) {
  try {
    const parsed = new URL(url, document.baseURI);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}
