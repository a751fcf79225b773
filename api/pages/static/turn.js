// One question on the page with what came of it: text arriving, an answer, an abstention, an error.

import { answerParts } from "./answer.js";
import { element } from "./dom.js";
import { LiveText } from "./live.js";
import { askEvents, ServiceError } from "./service.js";
import { answerTools } from "./tools.js";

let made = 0;

export class Turn {
  // `page` is {again(turn), say(text, failed)}; `saved` a turn as it is stored.
  constructor(question, page, saved = null) {
    this.id = `turn-${(made += 1)}`;
    this.question = question;
    this.asked = saved?.asked ?? Date.now();
    this.reply = saved?.reply ?? null;
    this.node = element("article", "turn");
    this.node.setAttribute("aria-labelledby", this.id);
    const heading = element("h2", "asked", question);
    heading.id = this.id;
    this.body = element("div", "outcome");
    this.node.append(heading, this.body);
    this.page = page;
    if (this.reply) this.#draw();
  }

  // Asks; resolves to how it ended: "answered", "abstained", "stopped" or "failed".
  async run(body, signal) {
    this.asked = Date.now();
    this.reply = null;
    this.body.setAttribute("aria-busy", "true");
    const box = element("div", "answer live");
    const text = element("p", "sentence");
    box.append(text);
    this.body.replaceChildren(box);
    const live = new LiveText(text);
    try {
      for await (const { event, data } of askEvents(body, signal)) this.#take(event, data, live);
    } catch (error) {
      live.end();
      return this.#broken(error, signal, box);
    } finally {
      this.body.removeAttribute("aria-busy");
    }
    this.#draw();
    return this.reply.status;
  }

  #take(event, data, live) {
    if (event === "citations") live.know(data.citations);
    if (event === "delta") live.add(data.text);
    if (event === "done") this.reply = data;
  }

  #draw() {
    const again = () => this.page.again(this);
    this.body.replaceChildren(
      ...answerParts(this.question, this.reply, this.id),
      answerTools(this, { again, say: this.page.say }),
    );
  }

  // What had arrived stays on the page, for it was verified, but it is no answer.
  #broken(error, signal, box) {
    const stopped = signal.aborted;
    if (!stopped && !(error instanceof ServiceError)) throw error;
    box.classList.remove("live");
    box.classList.add("broken");
    if (!box.textContent) box.remove();
    const note = element("div", stopped ? "notice stopped" : "notice failed");
    note.append(element("p", "verdict", stopped ? "已停止。" : error.message));
    if (!stopped) note.append(element("p", "meta", errorFacts(error)));
    this.body.append(note, answerTools(this, { again: () => this.page.again(this), say: this.page.say }));
    return stopped ? "stopped" : "failed";
  }
}

function errorFacts(error) {
  const facts = [`错误码 ${error.code || "无"}`];
  if (error.requestId) facts.push(`请求编号 ${error.requestId}`);
  return facts.join(" · ");
}
