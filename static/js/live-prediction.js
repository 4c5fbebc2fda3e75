// The page of one prediction: shows what became of it the moment it is known.
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
  source.close();
  clearInterval(looking);
}

let source;
let looking;
if (!isFinal()) {
  source = new EventSource(find(document).dataset.streamUrl);
  for (const type of ["answered", "rejected", "failed"]) source.addEventListener(type, refresh);
  // Where the stream is held up by something in between.
  looking = setInterval(refresh, LOOK_MS);
}
