// The form: asks without a reload and says at the fields what can't be asked.

/** Fires "asked" when a question goes out, "accepted" (detail: the door's answer and the features), "refused". */
export class Question extends EventTarget {
  #form;
  #message;
  #isOnItsWay = false;

  constructor(form, message) {
    super();
    this.#form = form;
    this.#message = message;
    // The door's own words at the fields instead of the browser's bubbles.
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#isOnItsWay) this.#ask();
    });
  }

  async #ask() {
    const features = this.#features();
    this.#isOnItsWay = true;
    this.#clear();
    this.#say("asked");
    try {
      const response = await this.#post(features);
      if (response.status === 202) {
        this.#say("accepted", { ...(await response.json()), features });
      } else {
        await this.#refuse(response);
      }
    } catch {
      this.#fail("The question didn't get through. Is the network there? Your numbers are kept; try again.");
    } finally {
      this.#isOnItsWay = false;
    }
  }

  #post(features) {
    return fetch(this.#form.dataset.askUrl, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": this.#form.elements.csrfmiddlewaretoken.value,
      },
      body: JSON.stringify(features),
      signal: AbortSignal.timeout(15000),
    });
  }

  async #refuse(response) {
    if (response.status === 422) {
      const { errors } = await response.json();
      errors.forEach((error) => this.#showError(error));
      this.#form.querySelector("[aria-invalid]")?.focus();
      this.#say("refused");
    } else if (response.status === 429) {
      this.#fail(`Too many questions; try again in ${response.headers.get("Retry-After")} s.`);
    } else if (response.status === 403) {
      this.#fail("You signed in or out since this page was loaded. Reload it and ask again.");
    } else {
      this.#fail(`The server couldn't take the question (${response.status}). Your numbers are kept; try again soon.`);
    }
  }

  #features() {
    const features = {};
    for (const input of this.#inputs()) {
      // What isn't a number becomes null, and the door says so; what is empty is missing.
      if (input.value !== "" || input.validity.badInput) features[input.name] = input.valueAsNumber;
    }
    return features;
  }

  #inputs() {
    return [...this.#form.elements].filter((element) => element.type === "number");
  }

  #showError({ field, code, detail }) {
    const place = this.#form.querySelector(`[data-error="${CSS.escape(field)}"]`);
    if (place === null) {
      this.#message.textContent = detail;
      return;
    }
    const input = this.#form.querySelector(`[data-field="${CSS.escape(field)}"]`);
    const isOutOfRange = code === "out_of_range";
    place.textContent = isOutOfRange ? input.dataset.outOfRange : detail.replace(field, input.labels[0].textContent);
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
    this.#message.textContent = sentence;
    this.#say("refused");
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
