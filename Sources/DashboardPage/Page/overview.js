// The first glance: is all well, and if not, what is wrong.
const severityTone = { critical: "bad", page: "bad", warning: "warning" };
const stateTone = {
  healthy: "good", checking: "quiet", down: "bad", ejected: "warning", draining: "quiet", removed: "quiet",
};
const stateIcon = {
  healthy: "good", checking: "waiting", down: "bad", ejected: "warning", draining: "paused", removed: "paused",
};
const stateWord = {
  healthy: "Healthy", checking: "Checking", down: "Down", ejected: "Ejected", draining: "Draining", removed: "Removed",
};

const allServers = (all) => (all.upstreams || []).flatMap((upstream) => upstream.servers);

// What needs attention, worst first: { key, tone, title, text, since }.
function concernsOf(all) {
  const concerns = [];
  const { process: running, alerts, now } = all;
  for (const server of allServers(all)) {
    if (server.state === "down") {
      concerns.push({ key: server.path, tone: "bad", title: server.path + " is down", text: server.reason ? server.reason + (server.reason_at ? ", last at " + format.clock(server.reason_at) : "") + "." : "Its health checks fail." });
    } else if (server.state === "ejected") {
      concerns.push({ key: server.path, tone: "warning", title: server.path + " is ejected", text: server.reason || "Its answers failed, so it gets no new work for a while." });
    }
  }
  for (const alert of alerts || []) {
    if (alert.state !== "firing") continue;
    concerns.push({
      key: "alert " + alert.name + alert.subject, tone: severityTone[alert.severity] || "warning", title: alert.name,
      text: alert.summary, since: alert.since,
    });
  }
  // An alert takes a while to fire; the page says at once that many calls fail.
  if (!concerns.some((concern) => concern.key.startsWith("alert ")) && all.traffic?.calls >= 20 && all.traffic.failed > all.traffic.calls / 20) {
    concerns.push({ key: "failed", tone: "warning", title: format.percent(all.traffic.failed / all.traffic.calls) + " of the calls fail", text: format.count(all.traffic.failed) + " of " + format.count(all.traffic.calls) + " in five minutes" });
  }
  if (running?.draining) concerns.push({ key: "draining", tone: "warning", title: "Berth is draining", text: "It finishes what is under way and takes nothing new." });
  if (running?.last_error) concerns.push({ key: "reload", tone: "warning", title: "The last reload was rejected", text: running.last_error });
  for (const upstream of all.upstreams || []) {
    if (upstream.source_failure) concerns.push({ key: "source " + upstream.name, tone: "warning", title: "Servers of " + upstream.name + " are not found any more", text: upstream.source + ": " + upstream.source_failure + ". Those found before stay." });
  }
  for (const upstream of alerts ? [] : all.upstreams || []) {
    if (upstream.catalogs_differ) concerns.push({ key: "catalog " + upstream.name, tone: "warning", title: "Servers of " + upstream.name + " list different tools", text: "What an agent can call depends on the server that it gets." });
  }
  for (const concern of concerns) concern.ago = concern.since ? format.span((now - concern.since) / 1000) : "";
  if (!concerns.length && running) return assurancesOf(all);
  return concerns.sort((a, b) => (a.tone === "bad" ? 0 : 1) - (b.tone === "bad" ? 0 : 1));
}

// What is well, where nothing is wrong.
function assurancesOf({ alerts, process: running, traffic: now }) {
  const said = [];
  const add = (title, text) => said.push({ key: title, tone: "good", title, text, ago: "" });
  const pending = (alerts || []).filter((alert) => alert.state === "pending").length;
  if (alerts) add("No alert is lit", pending ? pending + " may be soon" : "every rule is watched");
  if (now) {
    const share = now.calls ? now.failed / now.calls : 0;
    add(share ? "Few calls fail" : "No call fails", now.calls ? format.percent(share) + " of " + format.plural(now.calls, "call") + " in five minutes" : "and there were none in five minutes");
  }
  if (running.hash) add("The configuration is in force", "without an error, since " + new Date(running.loaded_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }));
  return said;
}

const concernList = new KeyedList(
  byId("concerns"),
  () => {
    const mark = icon("warning"), title = element("b"), since = element("span", { class: "since" }), text = element("p");
    return { node: element("li", {}, mark, title, since, text), mark, title, since, text };
  },
  (entry, concern) => {
    setAttribute(entry.node, "data-tone", concern.tone);
    setIcon(entry.mark, concern.tone);
    setText(entry.title, concern.title);
    setText(entry.since, concern.ago);
    setText(entry.text, concern.text);
  });
const concernExcerpt = new Excerpt(byId("more-concerns"), 4, "concerns", () => redraw("process"));

// A mark for each server, always in the same place.
const fleetList = new KeyedList(
  byId("fleet"),
  () => {
    const name = element("b"), place = element("div");
    const marks = new KeyedList(place, () => {
      const mark = icon("good");
      return { node: element("i", {}, mark), mark };
    }, (entry, server) => {
      setAttribute(entry.node, "data-tone", stateTone[server.state]);
      setAttribute(entry.node, "title", server.path + ": " + stateWord[server.state]);
      setIcon(entry.mark, stateIcon[server.state]);
    });
    return { node: element("div", {}, name, place), name, marks };
  },
  (entry, upstream) => {
    setText(entry.name, upstream.name);
    entry.marks.show(upstream.marked, (server) => server.path);
  });

// In a very large fleet only what is not healthy has a mark.
onChange("upstreams", ({ upstreams }) => {
  const count = allServers({ upstreams }).length;
  setAttribute(byId("fleet"), "data-size", count > 60 ? "small" : count > 16 ? "medium" : "large");
  for (const upstream of upstreams) {
    upstream.marked = count > 600 ? upstream.servers.filter((server) => server.state !== "healthy") : upstream.servers;
  }
  fleetList.show(upstreams, (upstream) => upstream.name);
});

function headlineOf(concerns, all) {
  const down = concerns.filter((concern) => concern.title.endsWith(" is down")).length;
  const lit = (all.alerts || []).filter((alert) => alert.state === "firing").length;
  if (!concerns.length) return allServers(all).length ? "All well" : "No servers";
  if (lit && !down) return format.plural(lit, "alert");
  if (down) return format.plural(down, "server") + " down" + (lit ? ", " + format.plural(lit, "alert") : "");
  return concerns.length === 1 ? concerns[0].title : concerns.length + " things to look at";
}

onChange("process alerts upstreams traffic", (all) => {
  if (!all.process) return;
  const shown = concernsOf(all);
  const concerns = shown.filter((concern) => concern.tone !== "good");
  const servers = allServers(all);
  const healthy = servers.filter((server) => server.state === "healthy").length;
  const tone = concerns.length ? concerns[0].tone : servers.length ? "good" : "quiet";
  const headline = headlineOf(concerns, all);
  const mark = { good: "good", bad: "bad", warning: "warning", quiet: "waiting" }[tone];
  for (const id of ["pill", "verdict"]) setAttribute(byId(id), "data-tone", tone);
  setIcon(byId("pill").firstChild, mark);
  setIcon(byId("verdict").querySelector(".headline svg"), mark);
  setText(byId("pill").lastChild, headline);
  setText(byId("headline"), headline);
  setText(byId("subline"), healthy + " of " + format.plural(servers.length, "server") + " healthy" + (all.alerts && !concerns.some((concern) => concern.key.startsWith("alert ")) ? ", no alert lit" : ""));
  concernList.show(concernExcerpt.of(shown), (concern) => concern.key);
  document.title = (concerns.length ? "(" + concerns.length + ") " : "") + headline + " · Berth";
  announce(headline + (concerns.length ? ": " + concerns.slice(0, 3).map((concern) => concern.title).join(", ") : ""));
  drawAbout(all);
});

function drawAbout({ process: running }) {
  const facts = [["version", running.version], ["up", format.span(running.uptime_seconds)]];
  if (running.hash) facts.push(["configuration", running.hash.slice(0, 8)]);
  facts.push(["clients", format.count(running.clients)]);
  const about = byId("about");
  if (about.children.length !== facts.length) {
    about.replaceChildren(...facts.map(([name]) => element("div", {}, element("dt", {}, name), element("dd"))));
  }
  facts.forEach(([, value], index) => setText(about.children[index].lastChild, value));
}

// The six tiles. `note` says more about the figure.
const tiles = [
  { name: "Calls a second", chart: "rate", figure: (t) => [format.rate(t.rate)], note: (t) => format.count(t.calls) + " in five minutes" },
  { name: "p95", chart: "p95", figure: (t) => format.time(t.p95).split(" "), note: (t) => "p50 " + format.time(t.p50) + ", p99 " + format.time(t.p99) },
  { name: "Failed", chart: "failing", figure: (t) => format.percent(t.calls ? t.failed / t.calls : 0).replace(" %", "\u00a0%").split("\u00a0"), tone: (t) => t.calls && t.failed / t.calls > 0.05 ? "bad" : null, note: (t) => t.failed ? format.plural(t.failed, "call") + ", " + format.count(t.tool_errors) + " by tools" : "no call failed" },
  { name: "Sessions", chart: "sessions", figure: (t) => [format.count(t.sessions)], note: (t) => t.recovered ? format.count(t.recovered) + " recovered since the start" : "none was recovered" },
  { name: "Event streams", chart: "streams", figure: (t) => [format.count(t.streams)], note: () => "open now" },
  { name: "Waiting", chart: "waiting", figure: (t) => [format.count(t.waiting)], tone: (t) => t.waiting > 0 ? "warning" : null, note: (t) => t.waiting ? "for a connection to a server" : "none waits for a connection" },
];
const traffic = {};
for (const tile of tiles) traffic[tile.chart] = new History();

// A second without news is a sample too.
onEvent(({ traffic: now }) => {
  if (!now) return;
  traffic.rate.add(now.rate);
  traffic.p95.add(now.p95_now);
  for (const name of ["failing", "sessions", "streams", "waiting"]) traffic[name].add(now[name]);
});

for (const tile of tiles) {
  tile.value = element("dd", { class: "figure" }, element("span"), element("small"));
  tile.remark = element("dd", { class: "note" });
  const parts = [element("dt", {}, tile.name), tile.value, tile.remark];
  tile.spark = new Sparkline(300, 40);
  parts.push(element("dd", { class: "chart" }, tile.spark.node));
  byId("tiles").append(element("div", {}, ...parts));
}

onChange("now", ({ traffic: now }) => {
  if (!now) return;
  for (const tile of tiles) {
    const [value, unit] = tile.figure(now);
    setText(tile.value.firstChild, value);
    setText(tile.value.lastChild, unit || "");
    setAttribute(tile.value, "data-tone", tile.tone?.(now));
    setText(tile.remark, tile.note(now));
    tile.spark.show(traffic[tile.chart]);
  }
});
