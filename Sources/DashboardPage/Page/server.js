// One server, with all that is known of it.
const opened = { path: null, rate: new Sparkline(460, 64), p95: new Sparkline(460, 64) };
byId("server-rate").append(opened.rate.node);
byId("server-p95").append(opened.p95.node);

function factsOf(server) {
  const failedCheck = server.reason_at ? [["Last check", "failed at " + format.clock(server.reason_at)]] : [];
  return [
    ...failedCheck,
    ["Calls", format.rate(server.rate) + " a second, " + format.count(server.calls) + " in five minutes"],
    ["Failed", format.count(server.failed) + " (" + format.percent(failedShare(server)) + ")"],
    ["p95", format.time(server.p95)],
    ["Sessions", format.count(server.sessions)],
    ["Event streams", format.count(server.streams)],
    ["Connections", format.count(server.active) + " of " + format.count(server.max) + " in use"],
    ["Waiting", format.count(server.waiting) + " for a connection"],
    ["Weight", server.weight + (server.backup ? ", a backup" : "")],
    ["Revisions", (server.revisions || []).join(", ") || "not known"],
  ];
}

function drawServer({ upstreams }) {
  if (opened.path === null) return;
  const server = allServers({ upstreams }).find((one) => one.path === opened.path);
  if (!server) {
    byId("server").close();
    return;
  }
  setText(byId("server-title"), server.path);
  setAttribute(byId("server-state"), "data-tone", stateTone[server.state]);
  setIcon(byId("server-state").firstElementChild, stateIcon[server.state]);
  setText(byId("server-state").lastElementChild, stateWord[server.state]);
  setText(byId("server-reason"), server.reason || "");
  drawServerActions(byId("server-actions"), server);
  const history = serverHistories.get(server.path);
  opened.rate.show(history.rate);
  opened.p95.show(history.p95);
  drawFacts(byId("server-facts"), factsOf(server));
}

function openServer(path) {
  opened.path = path;
  drawServer(figures);
  byId("server").showModal();
}

byId("server").addEventListener("close", () => { opened.path = null; });
onChange("upstreams process", drawServer);
