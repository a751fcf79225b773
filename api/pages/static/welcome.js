// What an empty page offers: questions that the service found in the corpus, and the documents.

import { button, element } from "./dom.js";
import { getJson, ServiceError } from "./service.js";

const SHOWN_EXAMPLES = 4;
const SHOWN_DOCUMENTS = 12;
const PATIENCE_MS = 1000;

// The examples have their room from the start. The documents come after them, so they wait a moment to see
// whether there are any; without, the room is given up before anything stands under it.
// `query` names the collection.
export async function fillWelcome(root, query, { ask, say }) {
  const examples = showExamples(query, ask);
  const documents = getJson(`/v1/documents${query}`);
  documents.catch(() => {}); // it may fail while nobody waits yet; below it is looked at
  await Promise.race([examples, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  try {
    showDocuments(root, (await documents).documents);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    say(error.message, true);
  }
}

async function showExamples(query, ask) {
  const section = document.getElementById("examples");
  let questions = [];
  try {
    ({ questions } = await getJson(`/v1/examples${query}`));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
  }
  if (questions.length === 0) {
    section.classList.add("without");
    // Nothing stands under it yet: nothing moves.
    if (document.getElementById("corpus").hidden) section.hidden = true;
    return;
  }
  section.classList.remove("waiting");
  const items = questions.slice(0, SHOWN_EXAMPLES).map((question) => {
    const item = element("li");
    item.append(button("example", question, () => ask(question)));
    return item;
  });
  document.getElementById("example-list").replaceChildren(...items);
}

function showDocuments(root, documents) {
  const list = document.getElementById("corpus-list");
  list.replaceChildren(...documents.slice(0, SHOWN_DOCUMENTS).map((entry) => documentItem(root, entry)));
  const others = documents.slice(SHOWN_DOCUMENTS);
  if (others.length > 0) {
    const item = element("li");
    item.append(
      button("quiet", `另有 ${others.length} 篇`, () => {
        const items = others.map((entry) => documentItem(root, entry));
        item.replaceWith(...items);
        items[0].querySelector("a").focus();
      }),
    );
    list.append(item);
  }
  document.getElementById("corpus").hidden = documents.length === 0;
}

function documentItem(root, entry) {
  const item = element("li");
  const link = element("a", "", entry.label);
  link.href = `${root}/documents/${encodeURIComponent(entry.id)}`;
  item.append(link);
  if (entry.title && entry.authors.length > 0) item.append(element("span", "where", entry.authors.join("、")));
  return item;
}
