// The list of past conversations, in a dialog: open one again, delete one, delete all.

import { button, element } from "./dom.js";

// `open(conversation)` shows one; `removed(id)` is told of one that was deleted, `removed(null)` of all. The
// store is asked anew whenever the dialog opens.
export function pastConversations(store, { open, removed }) {
  const dialog = document.getElementById("past");
  const list = document.getElementById("past-list");
  const nothing = document.getElementById("past-empty");
  const clear = document.getElementById("past-clear");

  function draw() {
    const conversations = store.list();
    list.replaceChildren(...conversations.map(item));
    nothing.hidden = conversations.length > 0;
    clear.hidden = conversations.length === 0;
    clear.textContent = "清空";
  }

  function item(conversation) {
    const title = conversation.turns[0].question;
    const made = element("li", "past-item");
    const show = button("past-open", "", () => {
      dialog.close();
      open(conversation);
    });
    show.append(element("span", "past-title", title), element("span", "where", describe(conversation)));
    const remove = button("quiet", "删除", () => {
      store.remove(conversation.id);
      removed(conversation.id);
      draw();
      (list.querySelector("button") ?? document.getElementById("past-close")).focus();
    });
    remove.setAttribute("aria-label", `删除：${title}`);
    made.append(show, remove);
    return made;
  }

  clear.addEventListener("click", () => {
    // Asked twice, since it cannot be undone.
    if (clear.textContent === "清空") {
      clear.textContent = "确定清空？";
      return;
    }
    store.clear();
    removed(null);
    draw();
    document.getElementById("past-close").focus();
  });
  document.getElementById("past-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // outside of what it holds
  });
  document.getElementById("past-open").addEventListener("click", () => {
    draw();
    dialog.showModal();
  });
}

function describe(conversation) {
  const when = new Date(conversation.updated).toLocaleString("zh-CN", { dateStyle: "medium", timeStyle: "short" });
  return `${when} · ${conversation.turns.length} 问`;
}
