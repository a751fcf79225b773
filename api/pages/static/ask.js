// The ask page: a conversation, its question box, and what is in the address. A first question is kept in
// the fragment (#q=…), a longer conversation by its number in this browser (#c=…); neither is ever sent.

import { askBody, countChars } from "./dialogue.js";
import { pastConversations } from "./past.js";
import { hide as hidePeek, watchMarks } from "./peek.js";
import { browserStorage, ConversationStore } from "./store.js";
import { Turn } from "./turn.js";
import { fillWelcome } from "./welcome.js";

const root = document.body.dataset.root;
const main = document.getElementById("main");
const form = document.getElementById("ask-form");
const box = document.getElementById("question");
const submit = document.getElementById("submit");
const stop = document.getElementById("stop");
const status = document.getElementById("status");
const announcer = document.getElementById("announcer");
const log = document.getElementById("log");
const welcome = document.getElementById("welcome");
const { maxChars, maxTurns, maxTurnChars, maxBytes } = box.dataset;
const limits = { turns: Number(maxTurns), turnChars: Number(maxTurnChars), bytes: Number(maxBytes) };

const store = new ConversationStore(browserStorage("localStorage"));
let conversation = newConversation();
let running = null; // the AbortController of the question under way

function newConversation() {
  // `randomUUID` is missing on insecure origins.
  const number = Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36));
  return { id: number.join(""), turns: [] };
}

function say(text, failed = false) {
  status.textContent = text;
  status.classList.toggle("failed", failed);
}

function problemWith(question) {
  if (running) return "请等这一问答完，或先停止。";
  if (!question) return "请先写下问题。";
  const chars = countChars(question);
  return chars > Number(maxChars) ? `问题有 ${chars} 个字符，最多 ${maxChars} 个。请缩短后再试。` : null;
}

async function ask(question) {
  const problem = problemWith(question);
  if (problem) {
    say(problem, true);
    return;
  }
  box.value = "";
  const turn = new Turn(question, { again, say });
  conversation.turns.push(turn);
  welcome.hidden = true;
  log.append(turn.node);
  setAddress();
  if (conversation.turns.length > 1) turn.node.scrollIntoView({ block: "start" });
  await run(turn);
}

async function again(turn) {
  if (running) say(problemWith(turn.question), true);
  else await run(turn);
}

async function run(turn) {
  const mine = conversation;
  const before = mine.turns.slice(0, mine.turns.indexOf(turn)).filter((each) => each.reply);
  const controller = new AbortController();
  running = controller;
  setBusy(true);
  say("正在查找……");
  let outcome = "failed";
  try {
    outcome = await turn.run(askBody(turn.question, before, limits), controller.signal);
  } finally {
    if (running === controller) rest();
    // It may have been left behind for another conversation.
    if (mine === conversation) report(outcome, turn);
  }
  if (turn.reply) keep(mine);
}

function report(outcome, turn) {
  const count = turn.reply?.citations.length;
  const texts = { answered: `答完，有 ${count} 处依据。`, abstained: "文库里没有答案。", stopped: "已停止。" };
  say(texts[outcome] ?? "没有答成。", outcome === "failed");
  // The text is read out once, when it is whole; while it arrives a reader would be interrupted all the time.
  announcer.textContent = turn.reply ? turn.reply.answer.replace(/\[\d+\]/g, "") : turn.body.textContent;
}

function keep({ id, turns }) {
  const answered = turns.filter((turn) => turn.reply);
  store.save({ id, updated: Date.now(), turns: answered.map(({ question, asked, reply }) => ({ question, asked, reply })) });
}

function rest() {
  running = null;
  setBusy(false);
}

function setBusy(busy) {
  const [from, to] = busy ? [submit, stop] : [stop, submit];
  to.hidden = false;
  if (document.activeElement === from) to.focus();
  from.hidden = true;
}

function setAddress() {
  const { id, turns } = conversation;
  const only = turns.length === 1 ? turns[0].question : null;
  const fragment = only === null ? `#c=${id}` : `#q=${encodeURIComponent(only.toWellFormed?.() ?? only)}`;
  history.replaceState(null, "", turns.length > 0 ? fragment : window.location.pathname);
}

function show(shown) {
  running?.abort();
  rest();
  hidePeek();
  conversation = shown;
  log.replaceChildren(...shown.turns.map((turn) => turn.node));
  welcome.hidden = shown.turns.length > 0;
  announcer.textContent = "";
  say("");
  setAddress();
}

function reopen({ id, turns }) {
  show({ id, turns: turns.map((saved) => new Turn(saved.question, { again, say }, saved)) });
  log.lastElementChild.scrollIntoView({ block: "start" });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(box.value.trim());
});

box.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a word (229 is what Safari reports then).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});

stop.addEventListener("click", (event) => {
  // The second half of a double click on "ask" falls here.
  if (event.detail < 2) running?.abort();
});

document.getElementById("new-conversation").addEventListener("click", () => {
  show(newConversation());
  box.focus();
});

function followAddress() {
  const [, kind, value] = /^#([qc])=(.*)$/s.exec(window.location.hash) ?? [];
  if (kind === "c") {
    const stored = store.get(value);
    if (stored && value !== conversation.id) reopen(stored);
    return;
  }
  if (kind !== "q") return;
  let question;
  try {
    question = decodeURIComponent(value).trim();
  } catch {
    return; // a link cut short in the middle of an escape
  }
  show(newConversation());
  ask(question);
}

watchMarks(main);
pastConversations(store, { open: reopen });
window.addEventListener("hashchange", followAddress);
followAddress();
fillWelcome(root, { ask, say });
if (document.activeElement === document.body) box.focus({ preventScroll: true });
performance.mark("cewen-ready");
