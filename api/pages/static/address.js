// Where a link of a reply leads. Pure: no page.

// An absolute address, or null for what leads to no web page: no `javascript:` and the like, whatever a reply
// says. A path stands below `root`, the prefix the service is reached under, unless it has it already; what
// remains relative is resolved against `base`.
export function webAddress(url, { base, root }) {
  try {
    const bare = /^\/(?![/\\])/.test(url) && url !== root && !url.startsWith(`${root}/`);
    const parsed = new URL(bare ? root + url : url, base);
    return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed.href : null;
  } catch {
    return null;
  }
}
