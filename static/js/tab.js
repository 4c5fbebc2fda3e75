// What a page was left with: the browser itself forgets what was typed on one that must not be cached. It is kept under
// the page's entry in the tab's history: the way back leads to each as it was.
import { randomKey } from "house/question";

/** What `leave` was told last, where a reload or the way back leads to the page again; else null. */
export function foundAgain() {
  const [{ type }] = performance.getEntriesByType("navigation");
  const isAgain = type === "reload" || type === "back_forward"; // A link to the page itself keeps its entry.
  if (!isAgain || history.state?.entry === undefined) {
    history.replaceState({ entry: randomKey() }, "");
    return null;
  }
  try {
    return JSON.parse(sessionStorage.getItem(history.state.entry));
  } catch {
    return null; // Storage is off.
  }
}

export function leave(state) {
  try {
    sessionStorage.setItem(history.state.entry, JSON.stringify(state));
  } catch {
    // Storage is off: the page begins anew.
  }
}
