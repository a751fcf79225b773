// Ranges of printed lines as they stand in an address: #L48 or #L48-L83.

const FRAGMENT = /^#L(\d{1,9})(?:-L?(\d{1,9}))?$/;

// {first, last} of a fragment, or null if it names no lines.
export function linesIn(fragment) {
  const found = FRAGMENT.exec(fragment);
  if (!found) return null;
  const first = Number(found[1]);
  const last = found[2] === undefined ? first : Number(found[2]);
  return first <= last ? { first, last } : { first: last, last: first };
}

export function rangeFragment(first, last) {
  return last > first ? `#L${first}-L${last}` : `#L${first}`;
}
