// The page of one prediction: shows what became of it the moment it is known.
import { onSpareLine } from "house/spare-line";

const LOOK_MS = 5000;
const LONGEST_LOOK_MS = 300000; // At what was given up on; an answer may still come, late.

const find = (root) => root.querySelector("#prediction");
const placeInLine = (root) => root.querySelector("[data-fill=range]");
const status = () => find(document).dataset.status;
const isFinal = () => ["answered", "rejected"].includes(status());
const isOnItsWay = (root) => ["accepted", "published"].includes(find(root).dataset.status);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function refresh() {
  try {
    const response = await fetch(location.href);
    if (response.status === 404) following.abort(); // Deleted, or an account's that is no longer signed in.
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // No network; the next look may find it.
  }
}

function show(page) {
  if (find(page).dataset.status === status() || (isOnItsWay(page) && isOnItsWay(document))) {
    placeInLine(document).textContent = placeInLine(page).textContent;
    return;
  }
  document.title = page.title;
  const focused = find(document).querySelector(":focus");
  find(document).replaceWith(find(page));
  if (focused) counterpart(focused)?.focus({ preventScroll: true });
  document.querySelector("[data-announce]").textContent = document.title;
  if (isFinal()) following.abort();
}

/** The link or button that is to people what `element` was before the page was drawn anew. */
function counterpart(element) {
  const said = (one) => `${one.getAttribute("href")} ${one.textContent}`;
  return [...find(document).querySelectorAll(element.localName)].find((other) => said(other) === said(element));
}

/** Resolves when nothing more is to be heard. */
function listen() {
  if (following.signal.aborted) return Promise.resolve(); // While it waited for a line.
  return new Promise((resolve) => {
    const source = new EventSource(find(document).dataset.streamUrl);
    for (const type of ["answered", "rejected", "failed"]) source.addEventListener(type, refresh);
    following.signal.addEventListener("abort", () => {
      source.close();
      resolve();
    });
  });
}

/** For where the stream is held up by something in between, or all lines are taken. */
async function look() {
  let milliseconds = LOOK_MS;
  while (!following.signal.aborted) {
    await pause(milliseconds);
    const isGivenUp = status() === "failed";
    if (isGivenUp) milliseconds = Math.min(2 * milliseconds, LONGEST_LOOK_MS);
    if (!following.signal.aborted && !(isGivenUp && document.hidden)) await refresh();
  }
}

const following = new AbortController();
if (!isFinal()) {
  onSpareLine(listen);
  look();
}
