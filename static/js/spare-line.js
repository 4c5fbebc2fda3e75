// On HTTP/1.1 a browser keeps six connections to a site, for all of its pages together. Streams that never end must
// not take them all, or nothing can be asked any more.
const MOST = 3;

/** What `follow` resolves to, while it holds one of the browser's lines; false at once if all of them are taken. */
export async function onSpareLine(follow) {
  if (!navigator.locks) return follow(); // Neither https nor this machine: the pages don't know of each other.
  for (let line = 1; line <= MOST; line++) {
    const isMine = { ifAvailable: true };
    const held = await navigator.locks.request(`spare line ${line}`, isMine, async (lock) => lock && [await follow()]);
    if (held) return held[0];
  }
  return false;
}
