// One question on the page with what came of it: text arriving, an answer, an abstention, an error.

import { answerParts } from "./answer.js";
import { element } from "./dom.js";
import { LiveText } from "./live.js";
import { hide as hidePeek } from "./peek.js";
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

  // Asks; resolves to how it ended: "answered", "abstained", "stopped" or "failed". Until it ends well, an
  // earlier reply remains this turn's reply.
  async run(body, signal) {
    const asked = Date.now();
    let reply = null;
    hidePeek();
    this.body.setAttribute("aria-busy", "true");
    const box = element("div", "answer live");
    const text = element("p", "sentence");
    box.append(text);
    this.body.replaceChildren(box);
    const live = new LiveText(text);
    try {
      for await (const { event, data } of askEvents(body, signal)) {
        if (event === "citations") live.know(data.citations);
        if (event === "delta") live.add(data.text, data.citations);
        if (event === "done") reply = data;
      }
    } catch (error) {
      return this.#broken(error, signal, box);
    } finally {
      this.body.removeAttribute("aria-busy");
    }
    this.asked = asked;
    this.reply = reply;
    this.#draw();
    return reply.status;
  }

  // The reply if there is one, `others` under it, and what one can do. A mark that has the focus keeps it.
  #draw(...others) {
    hidePeek();
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const again = () => this.page.again(this);
    const parts = this.reply ? answerParts(this.question, this.reply, this.id) : [];
    this.body.replaceChildren(...parts, ...others, answerTools(this, { again, say: this.page.say }));
    if (!focused) return;
    const same = Array.from(this.body.querySelectorAll(".cite")).find((mark) => mark.textContent === focused.textContent);
    (same ?? this.body.querySelector(".tools > button")).focus({ preventScroll: true });
  }

  // An earlier reply comes back. Without one, what had arrived stays, for it was verified, but it is no answer.
  #broken(error, signal, box) {
    const stopped = signal.aborted;
    if (!stopped && !(error instanceof ServiceError)) throw error;
    box.classList.remove("live");
    box.classList.add("broken");
    const note = element("div", stopped ? "notice stopped" : "notice failed");
    note.append(element("p", "verdict", stopped ? "已停止。" : error.message));
    if (!stopped) note.append(element("p", "meta", errorFacts(error)));
    if (this.reply) note.append(element("p", "meta", "上面是先前的答案。"));
    this.#draw(...(box.textContent && !this.reply ? [box] : []), note);
    return stopped ? "stopped" : "failed";
  }
}

function errorFacts(error) {
  const facts = [`错误码 ${error.code || "无"}`];
  if (error.requestId) facts.push(`请求编号 ${error.requestId}`);
  return facts.join(" · ");
}
