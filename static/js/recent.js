// The list of recent questions; a question has its row before its answer, so that nothing moves when that comes.
import { asked, fill, headline, place, range } from "house/wording";

const LONGEST = 5;

export class Recent {
  #list;
  #template;

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
  }

  show(prediction) {
    const row = this.#list.querySelector(`[data-id="${prediction.id}"]`) ?? this.#begin(prediction.id);
    row.dataset.state = prediction.status;
    row.querySelector('[data-fill="link"]').href = prediction.page_url;
    row.querySelector("time").dateTime = prediction.requested_at;
    fill(row, {
      price: headline(prediction),
      range: range(prediction),
      place: place(prediction),
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
