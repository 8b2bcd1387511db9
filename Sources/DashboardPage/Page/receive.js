// What Berth says, and when. An event has the parts that have changed; `figures` has the newest of each.
const figures = {};
const stream = { source: null, receivedAt: 0, isDrawing: false, listeners: [], samplers: [], changed: new Set() };

// Has `draw` called with all figures when one of the parts has changed.
function onChange(parts, draw) { stream.listeners.push({ parts: parts.split(" "), draw }); }

// Has `sample` called with every event, drawn or not.
function onEvent(sample) { stream.samplers.push(sample); }

function redraw(...parts) {
  for (const part of parts) stream.changed.add(part);
  if (stream.isDrawing) return;
  stream.isDrawing = true;
  // A page in the background draws nothing and keeps no backlog.
  requestAnimationFrame(() => {
    stream.isDrawing = false;
    const changed = stream.changed;
    stream.changed = new Set();
    for (const listener of stream.listeners) {
      if (listener.parts.some((part) => changed.has(part))) listener.draw(figures);
    }
  });
}

function receive(event) {
  const news = JSON.parse(event.data);
  stream.receivedAt = Date.now();
  Object.assign(figures, news);
  for (const sample of stream.samplers) sample(figures);
  setLive(true);
  redraw("now", ...Object.keys(news));
}

function setLive(isLive) {
  setAttribute(byId("live"), "data-state", isLive ? "on" : "off");
  setText(byId("live").lastChild, isLive ? "live" : "reconnecting");
  if (isLive) {
    setHidden(byId("lost"), true);
  } else if (stream.receivedAt) {
    setText(byId("lost"), "No word from Berth since " + format.clock(stream.receivedAt) + ". What you see is from then.");
    setHidden(byId("lost"), false);
  }
}

function connect() {
  stream.source = new EventSource("/events");
  stream.source.addEventListener("figures", receive);
  stream.source.addEventListener("error", () => {
    setLive(false);
    // A browser gives up when the answer is no event stream, as during a restart.
    if (stream.source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}

// A stream that has gone silent without an end: the machine slept, or a middlebox dropped it.
setInterval(() => {
  if (!stream.receivedAt || Date.now() - stream.receivedAt < 10_000) return;
  setLive(false);
  if (Date.now() - stream.receivedAt < 20_000) return;
  stream.source.close();
  stream.receivedAt = Date.now() - 10_000;
  connect();
}, 2000);
