// Says how answers arrive at the moment.
const WORDS = { connecting: "Connecting", live: "Live", stream: "Live (SSE)", polling: "Polling", offline: "Offline" };

export function showConnection(element, feed) {
  feed.addEventListener("state", ({ detail }) => {
    element.dataset.state = detail;
    element.querySelector("[data-words]").textContent = WORDS[detail];
  });
}
