// The servers of each upstream: how they are, what they carry, and what can be done about them.
const serverHistories = new Map();

onEvent(({ upstreams }) => {
  if (!upstreams) return;
  const present = new Set();
  for (const server of upstreams.flatMap((upstream) => upstream.servers)) {
    present.add(server.path);
    let history = serverHistories.get(server.path);
    if (!history) serverHistories.set(server.path, (history = { rate: new History(), p95: new History() }));
    history.rate.add(server.rate);
    history.p95.add(server.p95_now);
  }
  for (const path of serverHistories.keys()) if (!present.has(path)) serverHistories.delete(path);
});

tableHead(byId("servers"), [
  ["Server", "left"], ["State", "left"], ["Calls/s", ""], ["p95", "second"], ["Sessions", "second"], ["Streams", "second"],
  ["Connections", "third"], ["Waiting", "third"], ["Failed", "second"], ["", "actions"],
]);

// What may be done to a server, by its state. `asks` is what is asked first.
const serverChanges = {
  drain: { word: "Drain", path: "/drain", asks: "It keeps its sessions and gets no new ones, until it is undrained or Berth starts anew." },
  undrain: { word: "Undrain", path: "/undrain", asks: "It gets new sessions again." },
  eject: { word: "Eject", path: "/eject", asks: "It gets no new work for a while, as if its answers had failed. Its sessions wait or are recovered elsewhere." },
  uneject: { word: "Restore", path: "/uneject", asks: "It gets new work again at once." },
};

function changesFor(server, offered) {
  if (server.state === "removed") return [];
  const wanted = [server.draining ? "undrain" : "drain", server.state === "ejected" ? "uneject" : "eject"];
  return wanted.filter((change) => offered.includes(change));
}

const failedShare = (server) => server.calls ? server.failed / server.calls : null;

function makeServerRow() {
  const cell = (classes) => element("td", { class: classes });
  const rate = element("span", { class: "n" }), p95 = element("span", { class: "n" }), connections = element("span");
  const rateChart = new Sparkline(), p95Chart = new Sparkline(), fill = element("i");
  const name = element("button", { type: "button", class: "plain name" }), backup = element("span", { class: "tag", hidden: true }, "backup");
  const sub = element("span", { class: "sub" });
  const state = element("span", { class: "state" }, icon("good"), element("span"));
  const meter = element("span", { class: "meter", "aria-hidden": "true" }, fill);
  const row = {
    name, backup, sub, state, rate, rateChart, p95, p95Chart, connections, fill, meter,
    sessions: cell("second"), streams: cell("second"), waiting: cell("third"), failed: cell("second"), actions: cell("actions"),
  };
  name.addEventListener("click", () => openServer(name.dataset.path));
  const p95Cell = cell("second"), rateCell = cell(""), connectionCell = cell("third"), stateCell = cell("left");
  rateCell.append(rate, rateChart.node);
  p95Cell.append(p95, p95Chart.node);
  connectionCell.append(connections, meter);
  stateCell.append(state);
  row.node = element("tr", {}, element("th", { scope: "row" }, name, backup, sub), stateCell, rateCell, p95Cell,
    row.sessions, row.streams, connectionCell, row.waiting, row.failed, row.actions);
  return row;
}

function drawServerRow(row, server) {
  const history = serverHistories.get(server.path);
  setText(row.name, server.name);
  if (row.name.dataset.path !== server.path) row.name.dataset.path = server.path;
  setHidden(row.backup, !server.backup);
  setText(row.sub, stateWord[server.state] + " · p95 " + format.time(server.p95));
  setAttribute(row.state, "data-tone", stateTone[server.state]);
  setAttribute(row.state, "title", server.reason);
  setIcon(row.state.firstChild, stateIcon[server.state]);
  setText(row.state.lastChild, stateWord[server.state]);
  setText(row.rate, format.rate(server.rate));
  setText(row.p95, format.time(server.p95));
  if (history) {
    row.rateChart.show(history.rate);
    row.p95Chart.show(history.p95);
  }
  setText(row.sessions, format.count(server.sessions));
  setText(row.streams, format.count(server.streams));
  setText(row.connections, format.count(server.active) + " of " + format.count(server.max));
  setFill(row.fill, server.max ? server.active / server.max : 0);
  setAttribute(row.meter, "data-tone", server.active >= server.max * 0.9 ? "warning" : null);
  setText(row.waiting, format.count(server.waiting));
  setAttribute(row.waiting, "data-tone", server.waiting > 0 ? "warning" : null);
  setText(row.failed, format.percent(failedShare(server)));
  setAttribute(row.failed, "data-tone", failedShare(server) > 0.05 ? "bad" : null);
  drawServerActions(row.actions, server);
}

function drawServerActions(place, server) {
  const offered = changesFor(server, figures.process?.changes || []);
  const wanted = server.path + " " + offered.join();
  if (place.dataset.offered === wanted) return;
  place.dataset.offered = wanted;
  place.replaceChildren(...offered.map((name) => {
    const change = serverChanges[name];
    const button = element("button", { type: "button", class: "quiet", "aria-label": change.word + " " + server.path }, change.word);
    button.addEventListener("click", () => askForChange({
      title: change.word + " " + server.path + "?", text: change.asks, word: change.word,
      path: change.path + "?server=" + encodeURIComponent(server.path),
    }));
    return button;
  }));
}

const troubleRank = { down: 0, ejected: 1, checking: 2, draining: 3, healthy: 4, removed: 5 };
const byTrouble = (a, b) =>
  troubleRank[a.state] - troubleRank[b.state] || (a.backup ? 1 : 0) - (b.backup ? 1 : 0) || a.place - b.place;

function makeUpstream() {
  const name = element("span"), note = element("small");
  const head = element("tr", { class: "group" }, element("th", { scope: "rowgroup", colspan: "10" }, name, note));
  const node = element("tbody", {}, head);
  return { node, name, note, rows: new KeyedList(node, makeServerRow, drawServerRow, { after: head }) };
}

let serverSearch = "";
const serverExcerpt = new Excerpt(byId("all-servers"), 24, "servers", () => redraw("upstreams"));
const upstreamList = new KeyedList(byId("servers"), makeUpstream, (entry, { upstream, servers }) => {
  setText(entry.name, upstream.name);
  const healthy = upstream.servers.filter((server) => server.state === "healthy").length;
  setText(entry.note, healthy + " of " + upstream.servers.length + " healthy, " + upstream.balance + (upstream.source ? ", found by " + upstream.source : "") + (upstream.cached_answers === undefined ? "" : ", " + format.count(upstream.cached_answers) + " answers cached" + (upstream.cache_hit_rate === undefined ? "" : ", " + format.percent(upstream.cache_hit_rate) + " of what may be cached answered from it")) + (upstream.catalogs_differ ? ", different tools" : ""));
  entry.rows.show(servers, (server) => server.path, isInUse(entry.node));
}, { after: byId("servers").tHead });

onChange("upstreams process", ({ upstreams }) => {
  if (!upstreams) return;
  upstreams.forEach((upstream) => upstream.servers.forEach((server, place) => Object.assign(server, { place, upstream })));
  const all = upstreams.flatMap((upstream) => [...upstream.servers].sort(byTrouble));
  const found = all.filter((server) => server.path.toLowerCase().includes(serverSearch));
  // The worst of all upstreams come first; then each goes under its own.
  const shown = new Set(serverExcerpt.of(found.length > serverExcerpt.limit ? [...found].sort(byTrouble) : found));
  upstreamList.show(
    upstreams.map((upstream) => ({ upstream, servers: all.filter((server) => server.upstream === upstream && shown.has(server)) }))
      .filter((group) => group.servers.length),
    ({ upstream }) => upstream.name);
  setHidden(byId("servers-search"), all.length <= serverExcerpt.limit);
  setText(byId("servers-note"), format.plural(all.length, "server") + " in " + format.plural(upstreams.length, "upstream"));
});

byId("servers-search").lastChild.addEventListener("input", (event) => {
  serverSearch = event.target.value.trim().toLowerCase();
  redraw("upstreams");
});
