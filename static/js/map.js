// California by county: shows a place and lets it be picked by pointer or arrow keys.
const NAMESPACE = "http://www.w3.org/2000/svg";
const STEP = 0.02;
const STRIDE = 0.2;
const SIDEWAYS = 16; // Pixels; the page can't be scrolled sideways.
const ARROWS = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Fires "picked" (detail: latitude, longitude in degrees) when somebody moves the place. */
export class CaliforniaMap extends EventTarget {
  #svg;
  #pin;
  #counties;
  #place = null;

  constructor(svg) {
    super();
    this.#svg = svg;
    this.#pin = svg.querySelector("[data-pin]");
    this.#counties = [...svg.querySelectorAll("[data-county]")];
    svg.addEventListener("pointerdown", (event) => this.#drag(event));
    svg.addEventListener("keydown", (event) => this.#step(event));
  }

  /** Puts the pin; the name of the county it lies in, or null. */
  show({ latitude, longitude }) {
    this.#place = { latitude, longitude };
    const { x, y } = this.#point(this.#place);
    this.#pin.setAttribute("transform", `translate(${x} ${y})`);
    this.#pin.setAttribute("visibility", "visible");
    const here = this.#countyAt(x, y);
    for (const county of this.#counties) county.toggleAttribute("data-here", county === here);
    return here?.dataset.county ?? null;
  }

  /** The name of the county in which a place lies, or null. */
  countyOf(place) {
    const { x, y } = this.#point(place);
    return this.#countyAt(x, y)?.dataset.county ?? null;
  }

  /** Marks other places, each a { latitude, longitude }. */
  mark(places) {
    const dots = places.map((place) => {
      const dot = document.createElementNS(NAMESPACE, "circle");
      const { x, y } = this.#point(place);
      for (const [name, value] of Object.entries({ cx: x, cy: y, r: 6, class: "map-dot" })) dot.setAttribute(name, value);
      return dot;
    });
    this.#svg.querySelector("[data-dots]").replaceChildren(...dots);
  }

  #drag(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    const before = this.#place;
    const drag = new AbortController();
    let isMeant = event.pointerType !== "touch"; // A finger may be on its way to scroll the page past the map.
    let isPicked = false;
    const pick = (at) => {
      isPicked = true;
      this.#pick(this.#placeOf(at));
    };
    const listen = (type, listener) => this.#svg.addEventListener(type, listener, { signal: drag.signal });
    listen("pointermove", (moved) => {
      isMeant ||= Math.abs(moved.clientX - event.clientX) > SIDEWAYS;
      if (isMeant) pick(moved);
    });
    listen("pointerup", (ended) => {
      drag.abort();
      if (!isPicked) pick(ended);
    });
    // It was the page that was scrolled or zoomed, past the map.
    listen("pointercancel", () => {
      drag.abort();
      if (isPicked && before) this.#pick(before);
    });
    this.#svg.setPointerCapture(event.pointerId);
    if (isMeant) pick(event);
  }

  #step(event) {
    const direction = ARROWS[event.key];
    if (!direction || this.#place === null) return;
    event.preventDefault();
    const [north, east] = direction.map((part) => part * (event.shiftKey ? STRIDE : STEP));
    this.#pick({ latitude: this.#place.latitude + north, longitude: this.#place.longitude + east });
  }

  #pick({ latitude, longitude }) {
    const rounded = (degrees) => Math.round(degrees * 100) / 100;
    this.dispatchEvent(new CustomEvent("picked", { detail: { latitude: rounded(latitude), longitude: rounded(longitude) } }));
  }

  // The projection is `predictions/projection.py`; its constants come with the map.
  #point({ latitude, longitude }) {
    const { west, north, unitsPerLatitude, unitsPerLongitude } = this.#svg.dataset;
    return { x: (longitude - west) * unitsPerLongitude, y: (north - latitude) * unitsPerLatitude };
  }

  #placeOf({ clientX, clientY }) {
    const { west, north, unitsPerLatitude, unitsPerLongitude } = this.#svg.dataset;
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(this.#svg.getScreenCTM().inverse());
    return { latitude: north - y / unitsPerLatitude, longitude: Number(west) + x / unitsPerLongitude };
  }

  #countyAt(x, y) {
    const point = new DOMPoint(x, y);
    return this.#counties.find((county) => county.isPointInFill(point));
  }
}
