// What Berth says, and when. An event has the parts that have changed; `figures` has the newest of each.
const figures = {};
const feed = { source: null, receivedAt: 0, isDrawing: false, listeners: [], samplers: [], changed: new Set() };

// Has `draw` called with all figures when one of the parts has changed.
function onChange(parts, draw) { feed.listeners.push({ parts: parts.split(" "), draw }); }

// Has `sample` called with every event, drawn or not.
function onEvent(sample) { feed.samplers.push(sample); }

function redraw(...parts) {
  for (const part of parts) feed.changed.add(part);
  if (feed.isDrawing) return;
  feed.isDrawing = true;
  // A page in the background draws nothing and keeps no backlog.
  requestAnimationFrame(() => {
    feed.isDrawing = false;
    const changed = feed.changed;
    feed.changed = new Set();
    for (const listener of feed.listeners) {
      if (listener.parts.some((part) => changed.has(part))) listener.draw(figures);
    }
  });
}

function receive(event) {
  const news = JSON.parse(event.data);
  feed.receivedAt = Date.now();
  Object.assign(figures, news);
  for (const sample of feed.samplers) sample(figures, news);
  setLive(true);
  redraw("now", ...Object.keys(news));
}

function setLive(isLive) {
  setAttribute(byId("live"), "data-state", isLive ? "on" : "off");
  setText(byId("live").lastChild, isLive ? "live" : "reconnecting");
  if (isLive) {
    setHidden(byId("lost"), true);
  } else if (feed.receivedAt) {
    setText(byId("lost"), "No word from Berth since " + format.clock(feed.receivedAt) + ". What you see is from then.");
    setHidden(byId("lost"), false);
  }
}

function connect() {
  feed.source = new EventSource("/events");
  feed.source.addEventListener("figures", receive);
  feed.source.addEventListener("error", () => {
    setLive(false);
    // A browser gives up when the answer is no event stream, as during a restart.
    if (feed.source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}

// A stream that has gone silent without an end: the machine slept, or a middlebox dropped it.
setInterval(() => {
  if (!feed.receivedAt || Date.now() - feed.receivedAt < 10_000) return;
  setLive(false);
  if (Date.now() - feed.receivedAt < 20_000) return;
  feed.source.close();
  feed.receivedAt = Date.now() - 10_000;
  connect();
}, 2000);
