// Draws a finished reply from its structure: sentences with marks, or an abstention; the quotes below.

import { button, element, sourceLink } from "./dom.js";
import { describePlace, markLink, MATCHES } from "./marks.js";
import { linesOf } from "./sentences.js";

const REASONS = {
  off_topic: "与文库的内容无关",
  not_stated: "文库里没有说到",
  false_premise: "问题的前提与原文不符",
  too_vague: "问题太笼统",
};

// `id` sets this answer's ids apart from those of the others on the page.
export function answerParts(question, reply, id) {
  const parts = [];
  if (reply.resolved_question && bare(reply.resolved_question) !== bare(question)) {
    parts.push(element("p", "resolved", `理解为：${reply.resolved_question}`));
  }
  if (reply.status === "answered") parts.push(answeredBox(reply, id), ...section("依据", id, citationCards(reply, id)));
  else {
    parts.push(abstainedBox(reply));
    if (reply.related.length > 0) parts.push(...section("相关段落（不是答案）", id, relatedCards(reply)));
  }
  return parts;
}

function bare(text) {
  return text.replace(/\s/g, "");
}

function answeredBox(reply, id) {
  const box = element("div", "answer answered");
  const cited = new Map(reply.citations.map((citation) => [citation.number, citation]));
  for (const line of linesOf(reply)) {
    const paragraph = element("p", "sentence");
    for (const { before, sentence } of line) paragraph.append(before, ...sentenceParts(sentence, cited, id));
    box.append(paragraph);
  }
  box.append(...notes(reply));
  return box;
}

function sentenceParts(sentence, cited, id) {
  const parts = [sentence.text];
  for (const number of sentence.citations) {
    const citation = cited.get(number);
    if (citation) parts.push(markLink(citation, quoteId(id, number)));
  }
  if (sentence.match !== "exact" && MATCHES[sentence.match]) parts.push(element("span", "badge", MATCHES[sentence.match]));
  return parts;
}

function abstainedBox(reply) {
  const box = element("div", "answer abstained");
  box.append(
    element("p", "verdict", `不作答：${REASONS[reply.reason] ?? "文库里找不到答案"}`),
    element("p", "sentence", reply.answer),
    ...notes(reply),
  );
  return box;
}

function notes(reply) {
  const facts = [`文库能回答的可能性 ${Math.round(reply.confidence * 100)}%`, `生成器 ${reply.generator}`];
  const made = [element("p", "meta", facts.join(" · "))];
  if (reply.degraded) made.unshift(element("p", "degraded", reply.degraded.message));
  return made;
}

function section(heading, id, list) {
  const made = element("h3", "", heading);
  made.id = `${id}-places`;
  list.setAttribute("aria-labelledby", made.id);
  return [made, list];
}

function citationCards(reply, id) {
  const list = element("ol", "cards");
  for (const citation of reply.citations) {
    const card = passageCard(citation, citation.quote, `[${citation.number}]`);
    card.querySelector("blockquote").id = quoteId(id, citation.number);
    list.append(card);
  }
  return list;
}

function quoteId(id, number) {
  return `${id}-quote-${number}`;
}

const FIRST_RELATED = 3;

function relatedCards(reply) {
  const list = element("ol", "cards related");
  const cards = reply.related.map((passage) => passageCard(passage, passage.text, ""));
  list.append(...cards.slice(0, FIRST_RELATED));
  const others = cards.slice(FIRST_RELATED);
  if (others.length > 0) {
    const item = element("li", "more");
    item.append(
      button("quiet", `再看 ${others.length} 段`, () => {
        item.replaceWith(...others);
        others[0].querySelector("a").focus();
      }),
    );
    list.append(item);
  }
  return list;
}

function passageCard(place, text, number) {
  const card = element("li", "card");
  const source = element("p", "source");
  if (number) source.append(element("span", "number", number));
  const link = sourceLink("", place.title, place.url);
  link.setAttribute("aria-label", `${number ? `引文 ${number.slice(1, -1)}：` : ""}${place.title}，在原文中查看`);
  source.append(link);
  card.append(source, element("p", "where", describePlace(place)), element("blockquote", "", text));
  return card;
}
