// What one can do with an answer: copy it with its citations, ask the same again, say whether it helped.

import { FORMATS, cite, dayOf } from "./citing.js";
import { copyText } from "./clipboard.js";
import { button, element, HERE } from "./dom.js";
import { feedbackOn } from "./feedback.js";

// `say` tells the reader what happened.
export function answerTools(turn, { again, say }) {
  const row = element("div", "tools");
  if (turn.reply?.status === "answered") row.append(copyMenu(turn, say));
  row.append(button("quiet", "再问一次", again));
  if (turn.reply?.id && "feedback" in document.getElementById("log").dataset) row.append(feedbackOn(turn.reply.id));
  return row;
}

function copyMenu(turn, say) {
  const menu = element("details", "copy");
  const list = element("div", "formats");
  for (const format of FORMATS) list.append(button("", format.name, () => copy(format)));
  menu.append(element("summary", "quiet", "复制"), list);

  async function copy(format) {
    const context = { ...HERE, accessed: dayOf(turn.asked) };
    const copied = await copyText(cite(format.id, turn.reply, context));
    close();
    say(copied ? `已复制（${format.name}）。` : "浏览器不让复制，请选中文字后自行复制。", !copied);
  }

  function close() {
    if (!menu.open) return;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }

  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  menu.addEventListener("focusout", (event) => {
    // Without a target the focus has left the window, or a click fell on something that takes none.
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}

// One for all menus, since answers come and go.
document.addEventListener("pointerdown", (event) => {
  for (const menu of document.querySelectorAll(".copy[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
