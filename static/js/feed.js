// The caller's feed, whatever happens to the connection: WebSocket, else SSE, else polling, all from one cursor.
import { onSpareLine } from "house/spare-line";
import { eventStream, polling, webSocket } from "house/transports";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30000;
const FIRST_FALLBACK_MS = 30000; // Then WebSocket is tried again.
const LONGEST_FALLBACK_MS = 300000;

/** Fires "event" (detail: a feed event) once per event, in order, and "state" (detail: a key of `connection.js`). */
export class Feed extends EventTarget {
  #urls;
  #cursor;
  #wake = () => {};
  #cut = new AbortController(); // Ends the transport in use; a dead network would take it half a minute to notice.
  #ending = new AbortController();

  constructor({ socketUrl, streamUrl, feedUrl, cursor }) {
    super();
    this.#urls = { socketUrl, streamUrl, feedUrl };
    this.#cursor = cursor;
  }

  start() {
    this.#ending = new AbortController();
    this.#run(this.#ending.signal);
    addEventListener("online", () => this.reachable(), { signal: this.#ending.signal });
    addEventListener("offline", () => this.#cut.abort(), { signal: this.#ending.signal });
  }

  /** The network is there: no pause is waited out. */
  reachable() {
    this.#wake();
  }

  stop() {
    this.#ending.abort();
    this.#wake();
  }

  async #run(signal) {
    let failures = 0;
    let fallbackMs = FIRST_FALLBACK_MS;
    while (!signal.aborted) {
      let wasLive = await this.#follow(webSocket, this.#urls.socketUrl, "live", signal);
      if (wasLive) {
        fallbackMs = FIRST_FALLBACK_MS;
      } else {
        wasLive = await this.#fallBack(fallbackMs, signal);
        fallbackMs = Math.min(fallbackMs * 2, LONGEST_FALLBACK_MS);
      }
      if (signal.aborted) return;
      failures = wasLive ? 0 : failures + 1;
      this.#say("state", wasLive ? "connecting" : "offline");
      await this.#pause(failures);
    }
  }

  async #fallBack(milliseconds, signal) {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
    const wasLive = await onSpareLine(() => this.#follow(eventStream, this.#urls.streamUrl, "stream", limited));
    if (wasLive || limited.aborted) return wasLive;
    return this.#follow(polling, this.#urls.feedUrl, "polling", limited);
  }

  #follow(transport, url, state, signal) {
    this.#cut = new AbortController();
    return transport({
      url,
      signal: AbortSignal.any([signal, this.#cut.signal]),
      cursor: this.#cursor,
      onLive: () => this.#say("state", state),
      onEvent: (event) => this.#take(event),
    });
  }

  #take(event) {
    if (event.type === "reset") {
      this.#cursor = event.cursor; // Of another database than the one that counts now: its ids began anew.
      return;
    }
    // A transport begins where the last one ended, so what it repeats was told already.
    if (event.cursor <= this.#cursor) return;
    this.#cursor = event.cursor;
    if (event.type !== "ready") this.#say("event", event);
  }

  /** Exponential, with full jitter: a restarted server must not meet all its pages at once. */
  #pause(failures) {
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, longest * Math.random());
    });
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
