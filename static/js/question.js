// The form: asks without a reload and says at the fields what can't be asked.

/**
 * Fires "asked" (detail: isByHand, isAgain), and then "accepted" (detail: the door's answer, the features, the movement),
 * "put off", "refused", or "unreachable".
 */
export class Question extends EventTarget {
  #form;
  #message;
  #open = {}; // The last question that was not accepted, and its key: sent again under it, it is asked once.

  constructor(form, message) {
    super();
    this.#form = form;
    this.#message = message;
    // The door's own words at the fields instead of the browser's bubbles.
    form.noValidate = true;
    form.autocomplete = "off"; // No list of former numbers over the boxes.
  }

  /** What stands in the boxes, and the units that it is in. */
  values() {
    return [...this.#form.elements].filter(isKept).map(({ name, value }) => [name, value]);
  }

  /** Puts back what `values` said, unless the units are others by now. */
  fill(values) {
    const kept = Object.fromEntries(values);
    if (kept.units !== this.#form.elements.units.value) return;
    for (const element of [...this.#form.elements].filter(isKept)) element.value = kept[element.name];
  }

  /** Whether `features`, of a question that was accepted, are what stands in the boxes. */
  asks(features) {
    return JSON.stringify(features) === this.key();
  }

  /** What is asked now, as text to compare. */
  key() {
    return JSON.stringify(this.#features());
  }

  /** Asks; { outcome: "accepted" | "refused" | "too many" (with seconds) | "unreachable" }. */
  async ask({ isByHand, gesture }) {
    const features = this.#features();
    const isAgain = this.#open.body === this.key();
    if (!isAgain) this.#clear(); // Else its words go when they are no longer true.
    this.#say("asked", { isByHand, isAgain });
    try {
      const response = await this.#post(features, gesture);
      if (response.status !== 202) return await this.#refuse(response, isByHand);
      const accepted = await response.json();
      this.#open = {}; // Only now: what is cut off after its head is asked again.
      this.#clear();
      this.#say("accepted", { ...accepted, features, movement: gesture });
      return { outcome: "accepted" };
    } catch {
      this.#tell("No network. Your question waits here and is asked when it is back.");
      this.#say("unreachable");
      return { outcome: "unreachable" };
    }
  }

  #post(features, gesture) {
    const body = JSON.stringify(features);
    if (this.#open.body !== body) this.#open = { body, key: randomKey() };
    return fetch(this.#form.dataset.askUrl, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": this.#form.elements.csrfmiddlewaretoken.value,
        "Idempotency-Key": this.#open.key,
        ...(gesture && { "X-Gesture": gesture }),
      },
      body,
      signal: AbortSignal.timeout(15000),
    });
  }

  async #refuse(response, isByHand) {
    if (response.status === 422) {
      const { errors } = await response.json();
      this.#clear();
      errors.forEach((error) => this.#showError(error));
      if (isByHand) this.#form.querySelector("[aria-invalid]")?.focus();
      this.#say("refused");
    } else if (response.status === 429) {
      const seconds = Number(response.headers.get("Retry-After"));
      const { code } = await response.json();
      const why = code === "line_full" ? "Many people ask right now" : "Many questions at once";
      this.#tell(`${why}; yours is asked in ${seconds} s.`);
      this.#say("put off");
      return { outcome: "too many", seconds };
    } else if (response.status === 403) {
      this.#fail("You signed in or out since this page was loaded. Reload it and ask again.");
    } else {
      this.#fail(`The server couldn't take the question (${response.status}). Your numbers are kept; try again soon.`);
    }
    return { outcome: "refused" };
  }

  #features() {
    const features = {};
    for (const input of this.#inputs()) {
      // What isn't a number becomes null, and the door says so; what is empty is missing.
      if (input.value !== "" || input.validity.badInput) features[input.dataset.field] = askedIn(input);
    }
    return features;
  }

  #inputs() {
    return [...this.#form.elements].filter((element) => element.type === "number");
  }

  #showError({ field, code, detail }) {
    const place = this.#form.querySelector(`[data-error="${CSS.escape(field)}"]`);
    if (place === null) {
      this.#tell(detail);
      return;
    }
    const input = this.#form.querySelector(`[data-field="${CSS.escape(field)}"]`);
    const { missing, outOfRange } = input.dataset;
    const pageWords = {
      ...{ missing_field: missing, wrong_type: missing },
      ...{ out_of_range: outOfRange, unsupported_location: this.#form.dataset.tooFar },
    };
    place.textContent = pageWords[code] ?? detail.replace(field, input.labels[0].textContent);
    input.setAttribute("aria-invalid", "true");
  }

  #clear() {
    this.#message.textContent = "";
    for (const input of this.#inputs()) {
      input.removeAttribute("aria-invalid");
      this.#form.querySelector(`[data-error="${input.dataset.field}"]`).textContent = "";
    }
  }

  #fail(sentence) {
    this.#tell(sentence);
    this.#say("refused");
  }

  /** What is said already is not said again: it is read out each time. */
  #tell(sentence) {
    if (this.#message.textContent !== sentence) this.#message.textContent = sentence;
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The box's value in the unit of the contract; rounded as `Input.asked` of predictions/inputs.py does. */
function askedIn({ valueAsNumber, dataset }) {
  return Number((valueAsNumber / dataset.per).toFixed(10));
}

function isKept({ type, name }) {
  return type === "number" || name === "units";
}

/** 128 random bits as 32 digits, which a UUID may be written as. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // `randomUUID` is for https alone.
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
