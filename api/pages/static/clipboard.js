// Puts text on the clipboard, also where the page is not on a secure origin and the modern way is closed.

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // not allowed here; the caller says so
  }
  field.remove();
  before?.focus?.({ preventScroll: true });
  return copied;
}
