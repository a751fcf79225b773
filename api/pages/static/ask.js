// The ask page: sends the question to /v1/ask and shows what comes back. The question is kept in the
// address's fragment (#q=…), which browsers never send to a server, so a link can be shared.

import { answerBox, citationCards, documentLink, element, relatedCards } from "./render.js";

const root = document.body.dataset.root;
const form = document.getElementById("ask-form");
const box = document.getElementById("question");
const button = document.getElementById("submit");
const status = document.getElementById("status");
const result = document.getElementById("result");
const maxChars = Number(box.dataset.maxChars);

function say(text, failed = false) {
  status.textContent = text;
  status.classList.toggle("failed", failed);
}

// The service counts Unicode code points; `length` counts UTF-16 units, two for a rare character.
function countChars(text) {
  return Array.from(text).length;
}

class ServiceError extends Error {}

async function readReply(response) {
  let body;
  try {
    body = await response.json();
  } catch {
    throw new ServiceError(`服务返回了无法识别的内容（HTTP ${response.status}）。请稍后再试。`);
  }
  if (response.ok) return body;
  const error = body.error ?? {};
  throw new ServiceError(`${error.message ?? "出错了。"}（${error.code ?? response.status}，编号 ${error.request_id ?? "无"}）`);
}

async function call(path, payload) {
  let response;
  try {
    response = await fetch(root + path, {
      method: payload ? "POST" : "GET",
      headers: payload ? { "Content-Type": "application/json" } : {},
      body: payload ? JSON.stringify(payload) : undefined,
    });
  } catch {
    throw new ServiceError("连不上服务。请检查网络，或稍后再试。");
  }
  return readReply(response);
}

async function ask() {
  const question = box.value.trim();
  if (!question) {
    say("请先写下问题。", true);
    return;
  }
  const chars = countChars(question);
  if (chars > maxChars) {
    say(`问题有 ${chars} 个字符，最多 ${maxChars} 个。请缩短后再试。`, true);
    return;
  }
  history.replaceState(null, "", `#q=${encodeURIComponent(question.toWellFormed?.() ?? question)}`);
  button.disabled = true;
  result.setAttribute("aria-busy", "true");
  result.replaceChildren();
  say("正在查找……");
  try {
    show(await call("/v1/ask", { question }));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    say(error.message, true);
  } finally {
    button.disabled = false;
    result.removeAttribute("aria-busy");
  }
}

function show(reply) {
  result.append(answerBox(reply));
  if (reply.status === "answered") {
    say(`找到 ${reply.citations.length} 处依据。`);
    result.append(element("h2", "", "依据"), citationCards(reply.citations));
  } else {
    say("文库里没有答案。");
    if (reply.related.length > 0) {
      result.append(element("h2", "", "最接近的段落（不是答案）"), relatedCards(reply.related));
    }
  }
}

async function showCorpus() {
  let documents;
  try {
    ({ documents } = await call("/v1/documents"));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    say(error.message, true);
    return;
  }
  document.getElementById("corpus-list").replaceChildren(...documents.map((entry) => documentLink(root, entry)));
  document.getElementById("corpus").hidden = documents.length === 0;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!button.disabled) ask();
});

box.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a word (229 is what Safari reports then).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  form.requestSubmit();
});

result.addEventListener("click", (event) => {
  const mark = event.target.closest("[data-card]");
  if (!mark) return;
  // Focus instead of following the link: the address keeps the question.
  event.preventDefault();
  const card = document.getElementById(mark.dataset.card);
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
});

function askFromAddress() {
  if (!window.location.hash.startsWith("#q=")) return;
  try {
    box.value = decodeURIComponent(window.location.hash.slice(3));
  } catch {
    return; // a link cut short in the middle of an escape
  }
  ask();
}

window.addEventListener("hashchange", askFromAddress);
showCorpus();
askFromAddress();
