// Whether an answer helped: two buttons, and after "no" a line for what was wrong. The verdict is sent at
// once, the words only if the reader sends them.

import { button, element } from "./dom.js";
import { postJson, ServiceError } from "./service.js";

const MAX_NOTE_CHARS = 2000;
const CHOICES = [
  { verdict: "up", name: "有帮助" },
  { verdict: "down", name: "没帮助" },
];

export function feedbackOn(answerId) {
  const box = element("div", "feedback");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "这个回答有帮助吗？");
  const said = element("p", "said");
  said.setAttribute("role", "status");
  const buttons = CHOICES.map(({ verdict, name }) => thumb(verdict, name, () => choose(verdict)));
  box.append(...buttons, said);
  let note = null;
  let sending = false;

  async function send(body) {
    if (sending) return false;
    sending = true;
    tell("正在送出……");
    try {
      await postJson("/v1/feedback", { answer_id: answerId, ...body });
      return true;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      tell(`没有记下：${error.message}`, true);
      return false;
    } finally {
      sending = false;
    }
  }

  async function choose(verdict) {
    if (!(await send({ verdict }))) return;
    buttons.forEach((each, at) => each.setAttribute("aria-pressed", String(CHOICES[at].verdict === verdict)));
    note?.remove();
    note = verdict === "down" ? noteForm(sendNote) : null;
    if (note) box.append(note);
    tell("谢谢，记下了。");
  }

  async function sendNote(text) {
    if (!text || !(await send({ verdict: "down", note: text }))) return;
    if (note.contains(document.activeElement)) buttons[1].focus();
    note.remove();
    note = null;
    tell("谢谢，您的话也记下了。");
  }

  function tell(text, failed = false) {
    said.textContent = text;
    said.classList.toggle("failed", failed);
  }

  return box;
}

function thumb(verdict, name, onClick) {
  const made = button(`quiet thumb ${verdict}`, "", onClick);
  made.setAttribute("aria-pressed", "false");
  made.append(document.getElementById("thumb").content.cloneNode(true), name);
  return made;
}

let made = 0;

function noteForm(send) {
  const form = element("form", "note");
  const label = element("label", "", "哪里不对？可以不填；会存下来，请别写个人信息");
  const input = element("input");
  input.id = `note-${(made += 1)}`;
  input.maxLength = MAX_NOTE_CHARS;
  input.autocomplete = "off";
  label.htmlFor = input.id;
  const submit = element("button", "quiet", "送出");
  form.append(label, input, submit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(input.value.trim());
  });
  return form;
}
