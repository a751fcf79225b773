// The access key, where the service wants one: asked for in a small form, kept until the tab is closed.

import { browserStorage } from "./store.js";

const KEY = "cewen.access";
const form = document.getElementById("access");
const input = document.getElementById("access-key");
const note = document.getElementById("access-note");

let key = stored();
let waiting = []; // of calls, until a key is given

function stored() {
  try {
    return browserStorage("sessionStorage")?.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export function currentKey() {
  return key;
}

// Resolves when there is a key other than `refused`, the one that was sent in vain.
export function keyOtherThan(refused, message, { signal, insist = false } = {}) {
  if (key !== refused) return Promise.resolve();
  note.textContent = refused ? message : "";
  form.hidden = false;
  if (insist) input.focus();
  return new Promise((resolve, reject) => {
    waiting.push(resolve);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = input.value.trim();
  // Anything else cannot stand in a header.
  if (!/^[\x21-\x7e]+$/.test(given)) {
    note.textContent = "密钥只含英文字母、数字和符号，没有空格。";
    return;
  }
  key = given;
  try {
    browserStorage("sessionStorage")?.setItem(KEY, key);
  } catch {
    // kept in memory then
  }
  input.value = "";
  form.hidden = true;
  document.getElementById("question").focus();
  const calls = waiting;
  waiting = [];
  for (const resolve of calls) resolve();
});
