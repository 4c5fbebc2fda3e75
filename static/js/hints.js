// Says at once, at the field, when a value is allowed but unusual.
const grouped = (number) => Number(number).toLocaleString("en-US");

export function showHints(form) {
  for (const hint of form.querySelectorAll("[data-hint]")) {
    const input = form.elements[hint.dataset.hint];
    const { softMin, softMax } = input.dataset;
    if (softMin === undefined) continue;
    const tell = () => {
      const isUnusual = input.validity.valid && (input.value < Number(softMin) || input.value > Number(softMax));
      hint.textContent = isUnusual ? `Unusual: most lie between ${grouped(softMin)} and ${grouped(softMax)}.` : "";
    };
    input.addEventListener("input", tell);
    tell();
  }
}
