// When to ask: when told to, and after the first answer whenever something moves. One question at a time; of those that
// come meanwhile only the newest is asked, so the others cost nothing.
import { randomKey } from "house/question";

const SPACING_MS = 800;
const PATIENCE_MS = 3000; // What isn't answered by then no longer holds up the next question.
const SPREAD = 0.2; // Those who were told the same time don't all come at the same moment.
const STILL_MS = 1000; // After so long without a move the next one begins another movement.
const UNREACHABLE_MS = 10000; // Then it is tried again, whether or not the network has said that it is back.

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Asking {
  #question;
  #isWanted = false;
  #isByHand = false;
  #isRunning = false;
  #hasAnswer = false;
  #inFlight = null;
  #gesture = null; // The movement that is going on, of which only the last question counts in the history.
  #moved = null;
  #movedAt = -Infinity;
  #settle = () => {};
  #wake = () => {};

  constructor(form, question) {
    this.#question = question;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#want({ isByHand: true });
    });
    // On its way down: before a slider moves its box, which is an event of its own.
    form.addEventListener("input", (event) => this.#follow(event), { capture: true });
    form.addEventListener("input", () => {
      if (this.#hasAnswer && form.checkValidity()) this.#want({ isByHand: false });
    });
  }

  /** The question that was asked last is answered, or will not be. */
  settled() {
    this.#hasAnswer = true;
    this.#settle();
  }

  /** The network is there again: what waits for it is asked. */
  reachable() {
    this.#wake();
  }

  #follow({ target, isTrusted }) {
    const now = performance.now();
    const isAnother = isTrusted && target !== this.#moved; // Scripts move several boxes: a place, an example.
    if (isAnother || now - this.#movedAt > STILL_MS) this.#gesture = randomKey();
    if (isTrusted) this.#moved = target;
    this.#movedAt = now;
  }

  #want({ isByHand }) {
    this.#isWanted = this.#question.key() !== this.#inFlight;
    this.#isByHand = this.#isWanted && (this.#isByHand || isByHand);
    if (isByHand) this.#wake();
    if (!this.#isRunning) this.#run();
  }

  async #run() {
    this.#isRunning = true;
    while (this.#isWanted) {
      const spacing = pause(SPACING_MS);
      await this.#askOnce();
      await spacing;
    }
    this.#isRunning = false;
  }

  async #askOnce() {
    const isByHand = this.#isByHand;
    this.#isWanted = this.#isByHand = false;
    this.#inFlight = this.#question.key();
    const settled = new Promise((resolve) => (this.#settle = resolve));
    const { outcome, seconds } = await this.#question.ask({ isByHand, gesture: isByHand ? null : this.#gesture });
    if (outcome === "accepted") await Promise.race([settled, pause(PATIENCE_MS)]);
    this.#inFlight = null;
    if (outcome === "too many") await pause(seconds * 1000 * (1 + SPREAD * Math.random()));
    if (outcome === "unreachable") await Promise.race([this.#awakened(), pause(UNREACHABLE_MS)]);
    if (outcome === "too many" || outcome === "unreachable") {
      this.#isWanted = true;
      this.#isByHand ||= isByHand;
    }
  }

  #awakened() {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
