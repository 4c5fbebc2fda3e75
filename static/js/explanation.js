// What follows the price: reasons, the most similar block groups, how it travelled. The server draws them.
const partsOf = (root) => root.querySelectorAll("[data-part]");

export class Explanation {
  #root;
  #mark;
  #reading = new AbortController();
  #missed = null; // What `follow` was told and could not read.

  /** `mark` is told the places of the similar block groups. */
  constructor(root, mark) {
    this.#root = root;
    this.#mark = mark;
  }

  /** Makes room at once, while a hand on the page still expects something to move. */
  wait() {
    this.#begin();
    for (const room of this.#root.querySelectorAll("[data-after]")) room.hidden = false;
  }

  /** Nothing follows: the rooms go again. */
  forget() {
    this.#begin();
    for (const room of this.#root.querySelectorAll("[data-after]")) room.hidden = true;
    this.#mark([]);
  }

  /** `moved` is the input, by its name in the contract, over which the price is drawn. */
  async follow({ page_url, status }, moved) {
    if (status !== "answered") return this.forget();
    this.wait();
    const { signal } = this.#reading;
    try {
      const response = await fetch(`${page_url}/explanation?moved=${moved}`, { signal });
      if (!response.ok) throw new Error(`explanation: ${response.status}`);
      this.#show(new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch {
      if (signal.aborted) return; // Overtaken by a newer answer.
      this.forget(); // Those of another price must not stand beside this one.
      this.#missed = [{ page_url, status }, moved];
    }
  }

  /** The server is there again: what could not be read is. */
  reachable() {
    if (this.#missed) this.follow(...this.#missed);
  }

  #begin() {
    this.#missed = null;
    this.#reading.abort();
    this.#reading = new AbortController();
  }

  #show(told) {
    for (const part of partsOf(told)) {
      this.#root.querySelector(`[data-part="${part.dataset.part}"]`).replaceWith(part);
    }
    this.#mark([...this.#root.querySelectorAll("[data-part=alike] [data-latitude]")].map((row) => row.dataset));
  }
}
