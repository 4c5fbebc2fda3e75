// A slider beside each number box: even, or in equal factors where the values lie far apart.
const DIGITS = 3;

export function bindSliders(form) {
  for (const slider of form.querySelectorAll("[data-slider-of]")) bind(slider, form.elements[slider.dataset.sliderOf]);
}

function bind(slider, box) {
  const scale = scaleOf(slider);
  const follow = () => {
    if (box.value !== "") slider.value = scale.positionOf(box.valueAsNumber);
    slider.setAttribute("aria-valuetext", `${box.value}, ${box.labels[0].textContent}`);
  };
  slider.addEventListener("input", () => {
    box.value = tidy(scale.valueAt(slider.valueAsNumber), box);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  box.addEventListener("input", follow);
  follow();
}

function scaleOf(slider) {
  const isEven = "isEven" in slider.dataset;
  const stretch = isEven ? (value) => value : Math.log;
  const shrink = isEven ? (value) => value : Math.exp;
  const [low, high] = [slider.dataset.lowest, slider.dataset.highest].map((end) => stretch(Number(end)));
  return {
    positionOf: (value) => ((stretch(value) - low) / (high - low)) * slider.max,
    valueAt: (position) => shrink(low + ((high - low) * position) / slider.max),
  };
}

/** To the step of the box and three digits, within its range: what a hand on a slider can mean. */
function tidy(value, box) {
  const step = Number(box.dataset.step);
  const digits = String(step).split(".")[1]?.length ?? 0;
  const stepped = Math.round(Number(value.toPrecision(DIGITS)) / step) * step;
  return Math.min(Number(box.max), Math.max(Number(box.min), Number(stepped.toFixed(digits))));
}
