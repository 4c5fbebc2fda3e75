// Says how answers arrive at the moment.
const WORDS = {
  connecting: "Connecting",
  live: "Live",
  stream: "Live, on the spare line",
  polling: "Looking every second",
  offline: "Offline; questions wait here",
};

export function showConnection(element, feed) {
  feed.addEventListener("state", ({ detail }) => {
    element.dataset.state = detail;
    element.querySelector("[data-words]").textContent = WORDS[detail];
  });
}
