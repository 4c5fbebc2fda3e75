// The page of one prediction: shows what became of it the moment it is known.
import { onSpareLine } from "house/spare-line";

const LOOK_MS = 5000;

const find = (root) => root.querySelector("#prediction");
const isFinal = () => ["answered", "rejected"].includes(find(document).dataset.status);

async function refresh() {
  const response = await fetch(location.href);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (find(page).dataset.status === find(document).dataset.status) return;
  document.title = page.title;
  find(document).replaceWith(find(page));
  document.querySelector("[data-announce]").textContent = document.title;
  if (isFinal()) stop();
}

function stop() {
  following.abort();
  clearInterval(looking);
}

/** Resolves when nothing more is to be heard. */
function listen() {
  return new Promise((resolve) => {
    const source = new EventSource(find(document).dataset.streamUrl);
    for (const type of ["answered", "rejected", "failed"]) source.addEventListener(type, refresh);
    following.signal.addEventListener("abort", () => {
      source.close();
      resolve();
    });
  });
}

const following = new AbortController();
let looking;
if (!isFinal()) {
  onSpareLine(listen);
  // Where the stream is held up by something in between, or all lines are taken.
  looking = setInterval(refresh, LOOK_MS);
}
