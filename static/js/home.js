// The page, put together: a question goes out by POST, its answer comes by the feed.
import { Answer } from "house/answer";
import { Asking } from "house/asking";
import { showConnection } from "house/connection";
import { Explanation } from "house/explanation";
import { Feed } from "house/feed";
import { showHints } from "house/hints";
import { Place } from "house/place";
import { Question } from "house/question";
import { Recent } from "house/recent";
import { bindSliders } from "house/sliders";
import { foundAgain, leave } from "house/tab";
import { priceOf } from "house/wording";

const find = (selector) => document.querySelector(selector);

const form = find("[data-question]");
const question = new Question(form, find("[data-form-message]"));
const found = foundAgain();
if (found) question.fill(found.values);
bindSliders(form);
const place = new Place(form);
const explanation = new Explanation(document, (places) => place.mark(places));
const { cursor, socketUrl, streamUrl, feedUrl } = form.dataset;
const asking = new Asking(form, question);
const feed = new Feed({ socketUrl, streamUrl, feedUrl, cursor: Number(cursor) });
const recent = new Recent(find("[data-recent]"), find("template[data-row]"), (features) => place.nameOf(features));
const answer = new Answer(find("[data-answer]"), {
  announcement: find("[data-announce]"),
  flagWords: JSON.parse(find("#flag-words").textContent),
});

const peek = find("[data-peek]"); // On a small screen: the price, in sight while things are moved.

const LOOK_MS = 5000;

let asked = null; // The door's answer to the question that was asked last.
let awaited = null; // Its id, unless another is on its way.
let moved = "med_inc"; // The input whose curve is drawn.
let early = null; // While a question is on its way: what is told meanwhile, for it may overtake the question's 202.

question.addEventListener("asked", ({ detail }) => {
  awaited = null;
  tellEarly();
  early = new Map();
  if (detail.isAgain && answer.isAwaited) return answer.goOn(); // It waited for the network or the door, and waits on.
  if (detail.isByHand) answer.wait();
  else answer.waitAgain();
  explanation.wait();
});
question.addEventListener("unreachable", tellEarly);
question.addEventListener("put off", () => {
  tellEarly();
  answer.putOff();
});
question.addEventListener("refused", () => {
  tellEarly();
  forget();
});
form.addEventListener("input", ({ target, isTrusted }) => {
  if (!isTrusted) return; // Filled in by the page.
  const box = form.elements[target.dataset.sliderOf] ?? target;
  if (box.dataset.softMin) moved = box.dataset.field;
});
question.addEventListener("accepted", ({ detail }) => {
  const isTold = early.has(detail.id);
  asked = detail;
  awaited = detail.id;
  if (detail.is_visitors) tellSignedOut();
  feed.reachable();
  recent.begin({ ...detail, price: null, requested_at: new Date().toISOString() }, detail.movement);
  if (!isTold) {
    answer.stand(detail.line);
    const isSettled = !["accepted", "published"].includes(detail.status); // Asked again after a lost response.
    look(detail, isSettled ? 0 : LOOK_MS);
  }
  tellEarly();
});
feed.addEventListener("event", ({ detail: { prediction } }) => {
  if (early) early.set(prediction.id, prediction);
  else show(prediction);
});
feed.addEventListener("state", ({ detail }) => {
  if (["connecting", "offline"].includes(detail)) return;
  asking.reachable();
  explanation.reachable();
});

function tellEarly() {
  const told = early;
  early = null;
  told?.forEach(show);
}

function show(prediction) {
  recent.show(prediction);
  if (prediction.id !== awaited) return;
  answer.show(prediction);
  peek.textContent = priceOf(prediction);
  asking.settled();
  explanation.follow(prediction, moved);
}

/** The session that this page was loaded in has ended: it goes on as a visitor's. */
function tellSignedOut() {
  const words = find("[data-signed-out][hidden]");
  if (words === null) return; // It was a visitor's all along, or that is told.
  words.hidden = false;
  feed.stop();
  feed.start(); // The asker's own, no longer the account's.
}

function forget() {
  asked = awaited = null;
  peek.textContent = "$–";
  answer.forget();
  explanation.forget();
}

/** The feed tells first; this is for what it could not tell. */
async function look({ id, status_url }, milliseconds = LOOK_MS) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  if (id !== awaited || !answer.isAwaited) return;
  try {
    const response = await fetch(status_url);
    if (response.status === 404) return forget(); // Deleted, or an account's that is no longer signed in.
    const prediction = response.ok ? await response.json() : null;
    if (id !== awaited || !answer.isAwaited) return; // The feed was faster.
    if (prediction?.settled_at) show(prediction);
    else if (prediction) answer.stand(prediction.line);
  } catch {
    // No network; the next look may find it.
  }
  look({ id, status_url });
}

showHints(form);
showConnection(find("[data-connection]"), feed);
feed.start();
// Only the answer to what stands in the boxes: other numbers may have been refused, or be on their way still.
if (found?.asked && question.asks(found.asked.features)) {
  asked = found.asked;
  awaited = asked.id;
  answer.waitAgain();
  explanation.wait();
  look(asked, 0);
}
addEventListener("pagehide", () => {
  feed.stop(); // A page in the back/forward cache must not hold a connection.
  leave({ values: question.values(), asked });
});
addEventListener("pageshow", ({ persisted }) => persisted && feed.start());
