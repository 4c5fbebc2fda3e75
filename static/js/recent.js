// The list of recent questions; a question has its row before its answer, so that nothing moves when that comes.
import { asked, fill, headline, range } from "house/wording";

const LONGEST = 5;

export class Recent {
  #list;
  #template;
  #nameOf;

  /** `nameOf` says a place, a { latitude, longitude }, in words. */
  constructor(list, template, nameOf) {
    this.#list = list;
    this.#template = template;
    this.#nameOf = nameOf;
  }

  show(prediction) {
    const row = this.#list.querySelector(`[data-id="${prediction.id}"]`) ?? this.#begin(prediction.id);
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

  #begin(id) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    row.dataset.id = id;
    this.#list.prepend(row);
    while (this.#list.children.length > LONGEST) this.#list.lastElementChild.remove();
    return row;
  }
}
