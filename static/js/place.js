// The place: one pair of coordinates, seen on the map and in two boxes; and what the census knows there.
import { CaliforniaMap } from "house/map";
import { coordinates, distance, dollars } from "house/wording";

const COORDINATES = ["latitude", "longitude"];

export class Place {
  #form;
  #map;
  #county;
  #known;
  #button;
  #looking = new AbortController();

  constructor(form) {
    this.#form = form;
    this.#map = new CaliforniaMap(form.querySelector("[data-map]"));
    this.#county = form.querySelector("[data-county-name]");
    this.#known = form.querySelector("[data-known]");
    this.#button = form.querySelector("[data-use-block-group]");
    this.#map.addEventListener("picked", ({ detail }) => this.#fill(detail));
    for (const name of COORDINATES) form.elements[name].addEventListener("input", () => this.#show());
    this.#button.addEventListener("click", () => this.#useBlockGroupAt(this.#here()));
    for (const example of form.querySelectorAll("a[data-latitude]")) {
      example.addEventListener("click", (event) => this.#try(event, example.dataset));
    }
    this.#show();
  }

  mark(places) {
    this.#map.mark(places);
  }

  /** County and coordinates, as `place` of predictions/templatetags/wording.py says them. */
  nameOf(features) {
    const county = this.#map.countyOf(features);
    return county ? `${county} County · ${coordinates(features)}` : coordinates(features);
  }

  /** Fills the boxes, all at once, with the numbers of the nearest block group: never its place and another's homes. */
  async #useBlockGroupAt(place) {
    this.#looking.abort();
    this.#looking = new AbortController();
    this.#known.textContent = "Looking it up…";
    try {
      this.#known.textContent = await this.#lookUp(place, this.#looking.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.#known.textContent = "The census can't be looked up right now.";
    }
  }

  async #lookUp(place, signal) {
    const response = await fetch(`${this.#button.dataset.url}?${new URLSearchParams(place)}`, { signal });
    if (response.status === 404) return "No block group of the census lies near this place.";
    if (response.status === 400) return "This is not a place in California.";
    if (!response.ok) throw new Error(`census: ${response.status}`);
    const { features, price, km } = await response.json();
    this.#fill(features);
    const away = km < 0.05 ? "" : `, ${distance(km)} away`;
    return `The census found a median of ${dollars(price)} here${away}.`;
  }

  #try(event, { latitude, longitude }) {
    event.preventDefault();
    this.#useBlockGroupAt({ latitude, longitude });
  }

  #here() {
    return Object.fromEntries(COORDINATES.map((name) => [name, this.#form.elements[name].value]));
  }

  /** Puts values of the contract into the boxes and lets the page know as if they had been typed. */
  #fill(features) {
    const boxes = [...this.#form.querySelectorAll("[data-field]")].filter((box) => box.dataset.field in features);
    for (const box of boxes) box.value = Number((features[box.dataset.field] * box.dataset.per).toFixed(4));
    for (const box of boxes) box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #show() {
    this.#looking.abort(); // What is looked up belongs to the place before.
    this.#known.textContent = "";
    const boxes = COORDINATES.map((name) => this.#form.elements[name]);
    if (!boxes.every((box) => box.value !== "" && box.validity.valid)) return;
    const [latitude, longitude] = boxes.map((box) => box.valueAsNumber);
    const county = this.#map.show({ latitude, longitude });
    this.#county.textContent = county ? `${county} County` : "Outside California";
  }
}
