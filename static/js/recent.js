// The list of recent questions; a question has its row before its answer, so that nothing moves when that comes.
import { asked, fill, headline, range } from "house/wording";

const LONGEST = 5;

export class Recent {
  #list;
  #template;
  #nameOf;
  #movements = new Map(); // Of which movement a question of this page is a step, the first asked first.

  /** `nameOf` says a place, a { latitude, longitude }, in words. */
  constructor(list, template, nameOf) {
    this.#list = list;
    this.#template = template;
    this.#nameOf = nameOf;
  }

  /** A question that was asked here just now, as a step of a movement or, where that is null, by hand. */
  begin(prediction, movement) {
    if (movement) this.#movements.set(prediction.id, movement);
    this.show(prediction);
  }

  show(prediction) {
    const row = this.#row(prediction);
    if (row === null) return;
    row.dataset.state = prediction.status;
    row.querySelector('[data-fill="link"]').href = prediction.page_url;
    row.querySelector("time").dateTime = prediction.requested_at;
    fill(row, {
      price: headline(prediction),
      range: range(prediction),
      place: this.#nameOf(prediction.features),
      asked: asked(prediction),
    });
  }

  /** Where it is told; null if it is not. What a movement came to takes the row of the step before, as in the history. */
  #row({ id, price, settled_at }) {
    const own = this.#list.querySelector(`[data-id="${id}"]`);
    const movement = this.#movements.get(id);
    if (own || !movement) return own ?? this.#add(id, "");
    const steps = [...this.#list.querySelectorAll(`[data-movement="${movement}"]`)];
    if (steps.length === 0) return this.#add(id, movement);
    if (!settled_at) return null; // The step before it stays until this one is told.
    const isAnswered = ({ dataset }) => dataset.state === "answered";
    if (steps.some((row) => this.#isNewer(row.dataset.id, id) && (price === null || isAnswered(row)))) return null;
    const overtaken = steps.filter((row) => this.#isNewer(id, row.dataset.id) && (price !== null || !isAnswered(row)));
    if (overtaken.length === 0) return this.#add(id, movement);
    overtaken.slice(1).forEach((row) => row.remove());
    overtaken[0].dataset.id = id;
    return overtaken[0];
  }

  #isNewer(id, other) {
    const ids = [...this.#movements.keys()];
    return ids.indexOf(id) > ids.indexOf(other);
  }

  #add(id, movement) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    row.dataset.id = id;
    row.dataset.movement = movement;
    this.#list.prepend(row);
    while (this.#list.children.length > LONGEST) this.#list.lastElementChild.remove();
    return row;
  }
}
