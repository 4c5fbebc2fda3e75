// What a tab was left with: the browser itself forgets what was typed on a page that must not be cached.
const NAME = "left with";

/** What `leave` was told last, where a reload or the way back leads to the page again; else null. */
export function foundAgain() {
  const [{ type }] = performance.getEntriesByType("navigation");
  if (type !== "reload" && type !== "back_forward") return null;
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return null; // Storage is off.
  }
}

export function leave(state) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(state));
  } catch {
    // Storage is off: the page begins anew.
  }
}
