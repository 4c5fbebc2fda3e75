// Figures and words, as `predictions/wording.py` and its template filters say them on pages.
const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 0 });
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC",
});
const STATUS_WORDS = {
  accepted: "Waiting for the answer",
  published: "Waiting for the answer",
  answered: "Estimated median value",
  rejected: "This can't be priced",
  failed: "No answer in time",
};

const { dollar, kilometre, distanceWord } = document.documentElement.dataset; // The units that were chosen.

/** Dollars of 1990 in the dollars that are shown. */
export const dollars = (amount) => money.format(Math.round(amount * dollar));
/** As the templates' "j M Y, H:i:s": every month in three letters. */
export const asked = (prediction) =>
  moment.formatToParts(new Date(prediction.requested_at))
    .map(({ type, value }) => (type === "month" ? value.slice(0, 3) : value))
    .join("");
export const status = (prediction) => STATUS_WORDS[prediction.status];
export const priceOf = ({ price }) => (price === null ? "$–" : dollars(price));
export const headline = (prediction) => (prediction.price === null ? status(prediction) : dollars(prediction.price));
export const range = (prediction) =>
  prediction.price === null ? "" : `${dollars(prediction.low)} to ${dollars(prediction.high)}`;
export const coordinates = ({ latitude, longitude }) => `${latitude.toFixed(2)}, ${longitude.toFixed(2)}`;

/** Short distances to a tenth. */
export function distance(km) {
  const shown = km * kilometre;
  return `${shown.toFixed(shown < 10 ? 1 : 0)} ${distanceWord}`;
}

export function took(prediction) {
  if (prediction.settled_at === null) return "";
  const milliseconds = new Date(prediction.settled_at) - new Date(prediction.requested_at);
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Words for a place in line that was told `seconds` ago; none where the answer is there in a moment. */
export function placeInLine(line, seconds) {
  const left = Math.ceil((line?.expected_seconds ?? 0) - seconds);
  return left > 1 ? `About ${left} s to go, ${line.ahead.toLocaleString("en-US")} questions ahead of yours` : "";
}

/** Put texts into the elements of `root` that are marked `data-fill="<name>"`. */
export function fill(root, texts) {
  for (const [name, text] of Object.entries(texts)) root.querySelector(`[data-fill="${name}"]`).textContent = text;
}
