// The answer: what was asked last, and what came of it.
import { fill, headline, placeInLine, priceOf, range, status, took } from "house/wording";

const BAND_DOLLARS = 500001;

export class Answer {
  #element;
  #announcement;
  #flagWords;
  #clock = null;
  #place = null;

  constructor(element, { announcement, flagWords }) {
    this.#element = element;
    this.#announcement = announcement;
    this.#flagWords = flagWords;
  }

  get isAwaited() {
    return this.#element.ariaBusy === "true";
  }

  wait() {
    this.#element.ariaBusy = "true";
    this.#empty("accepted", "Asking…");
    this.#countSeconds();
    this.#element.scrollIntoView({ block: "nearest" }); // On a small screen it is below the form.
  }

  /** Where the awaited question stands in line, as it was told just now. */
  stand(line) {
    this.#place = { line, toldAt: performance.now() };
  }

  /** While things are moved: the last figures stay until the next ones come. */
  waitAgain() {
    this.#element.ariaBusy = "true";
    this.#countSeconds();
  }

  /** The door is closed: the question waits here, and nothing waits for an answer yet. */
  putOff() {
    this.#stopClock();
    fill(this.#element, { status: "Not asked yet" });
  }

  /** It is asked again. */
  goOn() {
    if (this.#clock === null) this.#countSeconds();
  }

  forget() {
    this.#end();
    this.#empty("empty", "The answer will stand here");
  }

  show(prediction) {
    const isAnswered = prediction.price !== null;
    const sentences = prediction.flags.map((flag) => this.#flagWords[flag] ?? flag);
    this.#end();
    this.#element.dataset.state = prediction.status;
    fill(this.#element, {
      status: status(prediction),
      price: priceOf(prediction),
      range: isAnswered ? `${range(prediction)}, nine times in ten` : "",
      reason: prediction.reason?.detail ?? "",
      model: prediction.model?.id ?? "",
      took: took(prediction),
    });
    this.#element.querySelector('[data-fill="flags"]').replaceChildren(...sentences.map(listed));
    this.#element.querySelector('[data-fill="link"]').href = prediction.page_url;
    if (isAnswered) this.#drawBand(prediction);
    this.#announcement.textContent = isAnswered
      ? `${headline(prediction)}, nine times in ten from ${range(prediction)}. ${sentences.join(" ")}`
      : `${status(prediction)}. ${prediction.reason?.detail ?? ""}`;
  }

  #countSeconds() {
    this.#stopClock();
    let seconds = 0;
    this.#place = null;
    this.#clock = setInterval(() => {
      seconds += 1;
      fill(this.#element, { status: `Waiting for the answer, ${seconds} s` });
      if (this.#place) this.#showPlace(this.#place);
    }, 1000);
  }

  #showPlace({ line, toldAt }) {
    fill(this.#element, { range: placeInLine(line, (performance.now() - toldAt) / 1000) });
  }

  #stopClock() {
    clearInterval(this.#clock);
    this.#clock = null;
  }

  #end() {
    this.#stopClock();
    this.#element.ariaBusy = "false";
  }

  #empty(state, words) {
    this.#element.dataset.state = state;
    fill(this.#element, { status: words, price: "$–", range: "", reason: "", model: "", took: "", flags: "" });
    this.#drawBand({ price: 0, low: 0, high: 0 });
  }

  #drawBand({ price, low, high }) {
    const percent = (amount) => Math.min(100, (100 * amount) / BAND_DOLLARS);
    const rangeBar = this.#element.querySelector('[data-band="range"]');
    rangeBar.setAttribute("x", percent(low));
    rangeBar.setAttribute("width", percent(high) - percent(low));
    this.#element.querySelector('[data-band="price"]').setAttribute("x", percent(price));
  }
}

function listed(sentence) {
  const element = document.createElement("li");
  element.textContent = sentence;
  return element;
}
