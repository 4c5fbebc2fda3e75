// Three ways to hear the same feed. Each calls `onEvent` with the feed's events and `onLive` once it works, and
// resolves when it has ended: true if it ever worked. `signal` ends it.

const OPEN_MS = 3000;
const PING_MS = 20000;
const PONG_MS = 5000;
const POLL_MS = 1000;

export function webSocket({ url, cursor, onLive, onEvent, signal }) {
  return new Promise((resolve) => {
    const address = new URL(url, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("after", cursor);
    const socket = new WebSocket(address);
    let wasLive = false;
    let deadline = setTimeout(end, OPEN_MS);
    const pings = setInterval(() => {
      socket.send("ping");
      clearTimeout(deadline);
      deadline = setTimeout(end, PONG_MS);
    }, PING_MS);

    function end() {
      clearTimeout(deadline);
      clearInterval(pings);
      signal.removeEventListener("abort", end);
      socket.onmessage = socket.onclose = null;
      socket.close();
      resolve(wasLive);
    }

    socket.onmessage = ({ data }) => {
      clearTimeout(deadline);
      if (data === "pong") return;
      const event = JSON.parse(data);
      onEvent(event);
      if (event.type === "ready") {
        wasLive = true;
        onLive();
      }
    };
    socket.onclose = end;
    signal.addEventListener("abort", end);
  });
}

export function eventStream({ url, cursor, onLive, onEvent, signal }) {
  if (signal.aborted) return Promise.resolve(false); // It was waiting for a line, and nobody needs it any more.
  return new Promise((resolve) => {
    const address = new URL(url, location.href);
    address.searchParams.set("after", cursor);
    const source = new EventSource(address);
    let wasLive = false;
    let deadline = setTimeout(end, OPEN_MS);

    function end() {
      clearTimeout(deadline);
      signal.removeEventListener("abort", end);
      source.close();
      resolve(wasLive);
    }

    const hear = ({ data }) => {
      clearTimeout(deadline);
      onEvent(JSON.parse(data));
    };
    for (const type of ["answered", "rejected", "failed", "reset"]) source.addEventListener(type, hear);
    source.addEventListener("ready", (event) => {
      hear(event);
      wasLive = true;
      onLive();
    });
    source.onerror = end;
    signal.addEventListener("abort", end);
  });
}

export async function polling({ url, cursor, onLive, onEvent, signal }) {
  let after = cursor;
  let wasLive = false;
  while (!signal.aborted) {
    try {
      const address = new URL(url, location.href);
      address.searchParams.set("after", after);
      const response = await fetch(address, { signal });
      if (!response.ok) return wasLive;
      const page = await response.json();
      if (!wasLive) onLive();
      wasLive = true;
      page.events.forEach(onEvent);
      const isMore = page.cursor !== after;
      after = page.cursor;
      if (!isMore) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } catch {
      return wasLive; // The network is gone, or `signal` ended it.
    }
  }
  return wasLive;
}
