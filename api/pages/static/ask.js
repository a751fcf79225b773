// The ask page: a conversation, its question box, and what is in the address: the collection, and in the
// fragment a lone question (#q=…), or the id of a longer conversation in this browser (#c=…). No request carries the address's
// fragment; a question is sent in a body of its own, together with what was asked and answered before it.

import { currentCollection, offerCollections, queryFor } from "./collections.js";
import { Conversation } from "./conversation.js";
import { askBody, countChars, wellFormed } from "./dialogue.js";
import { pastConversations } from "./past.js";
import { hide as hidePeek, watchMarks } from "./peek.js";
import { wordsOf } from "./sentences.js";
import { browserStorage, collectionOf, ConversationStore } from "./store.js";
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

const collection = currentCollection();
const store = new ConversationStore(browserStorage("localStorage"));
let conversation = new Conversation();
let running = null; // the AbortController of the question under way

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

async function ask(text) {
  const question = wellFormed(text);
  const problem = problemWith(question);
  if (problem) {
    say(problem, true);
    return;
  }
  box.value = "";
  const turn = new Turn(question, { again, say });
  conversation.turns.push(turn);
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
  const { id } = mine;
  const controller = new AbortController();
  running = controller;
  setBusy(true);
  // What has the focus is about to go.
  if ([turn.body, welcome].some((part) => part.contains(document.activeElement))) stop.focus({ preventScroll: true });
  welcome.hidden = true;
  say("正在查找……");
  let outcome = "failed";
  try {
    outcome = await turn.run(askBody(turn.question, mine.answeredBefore(turn), limits, collection), controller.signal);
  } finally {
    if (running === controller) rest();
    // It may have been left behind for another conversation.
    if (mine === conversation) report(outcome, turn);
  }
  // Deleted meanwhile, it has another id.
  if (!isReply(outcome) || mine.id !== id) return;
  mine.remember(turn);
  store.save(mine.toStore());
  if (mine === conversation) setAddress();
}

function isReply(outcome) {
  return outcome !== "stopped" && outcome !== "failed";
}

function report(outcome, turn) {
  const count = turn.reply?.citations.length;
  const texts = { answered: `答完，有 ${count} 处依据。`, abstained: "文库里没有答案。", stopped: "已停止。" };
  say(texts[outcome] ?? "没有答成。", outcome === "failed");
  // The text is read out once, when it is whole; while it arrives a reader would be interrupted all the time.
  const notice = turn.body.querySelector(".notice")?.textContent ?? "";
  announcer.textContent = isReply(outcome) ? wordsOf(turn.reply) : notice;
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
  history.replaceState(null, "", window.location.pathname + window.location.search + conversation.fragment);
}

function show(shown) {
  running?.abort();
  rest();
  hidePeek();
  conversation = shown;
  if (log.contains(document.activeElement)) box.focus({ preventScroll: true });
  log.replaceChildren(...shown.turns.map((turn) => turn.node));
  welcome.hidden = shown.turns.length > 0;
  announcer.textContent = "";
  say("");
  setAddress();
}

// One about another collection opens on the page of that one.
function reopen(stored) {
  const { id, turns } = stored;
  if (collectionOf(stored) !== collection) {
    window.location.assign(`${window.location.pathname}${queryFor(collectionOf(stored))}#c=${id}`);
    return;
  }
  show(new Conversation(id, turns.map((saved) => new Turn(saved.question, { again, say }, saved))));
  log.lastElementChild.scrollIntoView({ block: "start" });
}

// The reader has deleted the conversation with this id, or, without one, all.
function removed(id) {
  if (id !== null && id !== conversation.id) return;
  conversation.forget();
  setAddress();
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
  show(new Conversation());
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
  show(new Conversation());
  ask(question);
}

watchMarks(main);
pastConversations(store, { open: reopen, removed });
window.addEventListener("hashchange", followAddress);
followAddress();
fillWelcome(root, queryFor(collection), { ask, say });
offerCollections();
if (document.activeElement === document.body) box.focus({ preventScroll: true });
performance.mark("cewen-ready");
