// Sessions, by a digest that the log has too, and the journey of one.
tableHead(byId("sessions"), [
  ["Session", "left"], ["Server", "left"], ["Last call", "left second"], ["Calls", ""], ["Failed", "second"], ["Age", "third"],
  ["Idle", ""], ["Recovered", "left second"],
]);
byId("sessions").append(element("tbody"));

const sessionList = new KeyedList(
  byId("sessions").tBodies[0],
  () => {
    const cell = (classes) => element("td", { class: classes });
    const button = sessionButton();
    const last = element("span", { class: "name" }), moved = element("span", { class: "state", "data-tone": "quiet" }, icon("moved"), element("span"));
    const row = { button, last, moved, server: cell("left"), calls: cell(""), failed: cell("second"), age: cell("third"), idle: cell("") };
    const lastCell = cell("left second"), movedCell = cell("left second");
    lastCell.append(last);
    movedCell.append(moved);
    row.node = element("tr", {}, element("th", { scope: "row" }, button), row.server, lastCell, row.calls, row.failed, row.age, row.idle, movedCell);
    return row;
  },
  (row, session) => {
    row.button.dataset.session = session.id;
    setText(row.button, session.id.slice(0, 8));
    setAttribute(row.button, "aria-label", "Session " + session.id);
    setText(row.server, session.server || "–");
    setText(row.last, session.last || "–");
    setText(row.calls, format.count(session.calls));
    setText(row.failed, format.count(session.failed));
    setAttribute(row.failed, "data-tone", session.failed > 0 ? "bad" : null);
    setText(row.age, format.span((figures.now - session.since) / 1000));
    setText(row.idle, format.span((figures.now - session.used) / 1000));
    setText(row.moved.lastChild, session.recovered ? format.times(session.recovered) : "");
    setHidden(row.moved, !session.recovered);
  });
const sessionExcerpt = new Excerpt(byId("all-sessions"), 10, "sessions", () => redraw("now"));
const noSessions = element("tr", { class: "empty" }, element("td", { colspan: "8" }, "No session was used lately."));
let sessionSearch = "";

onChange("now", ({ sessions }) => {
  if (!sessions) return;
  const body = byId("sessions").tBodies[0];
  const found = sessions.rows.filter((session) =>
    (session.id + " " + session.server + " " + session.last).toLowerCase().includes(sessionSearch));
  if (found.length) noSessions.remove();
  sessionList.show(sessionExcerpt.of(found), (session) => session.id, isInUse(body));
  if (!found.length) body.append(noSessions);
  setHidden(byId("sessions-search"), sessions.rows.length <= sessionExcerpt.limit);
  setText(byId("sessions-note"), sessions.rows.length ? "the " + format.count(sessions.rows.length) + " used last, of " + format.count(sessions.total) : "");
});

byId("sessions-search").lastChild.addEventListener("input", (event) => {
  sessionSearch = event.target.value.trim().toLowerCase();
  redraw("now");
});

// MARK: the journey of one session
const journey = { id: null, timer: 0 };

const journeyList = new KeyedList(
  byId("journey-steps"),
  () => {
    const mark = icon("good"), name = element("b"), took = element("span", { class: "faded" }), text = element("p");
    return { node: element("li", {}, mark, name, took, text), mark, name, took, text };
  },
  (entry, call) => {
    const tone = outcomeTone[call.outcome];
    setAttribute(entry.node, "data-tone", tone);
    setIcon(entry.mark, outcomeIcon[tone]);
    setText(entry.name, nameOf(call));
    setText(entry.took, format.time(call.took));
    const parts = [format.clock(call.at), outcomeOf(call), call.server && "by " + call.server, call.name && call.method !== "tools/call" && call.method];
    if (call.queued) parts.push("waited " + format.time(call.queued));
    if (call.retries) parts.push(format.plural(call.retries, "retry").replace("retrys", "retries"));
    if (call.recovered) parts.push("session recovered for it");
    setText(entry.text, parts.filter(Boolean).join(" · "));
  });

async function drawJourney() {
  const id = journey.id;
  try {
    const response = await fetch("/events/session?id=" + encodeURIComponent(id));
    const session = response.ok ? await response.json() : null;
    if (journey.id !== id) return;
    const facts = session
      ? [["Server", session.server || "–"], ["Calls", format.count(session.calls) + ", " + format.count(session.failed) + " failed"],
        ["First seen", format.span((figures.now - session.since) / 1000) + " ago"], ["Last used", format.span((figures.now - session.used) / 1000) + " ago"],
        ["Recovered", session.recovered ? format.times(session.recovered) : "never"]]
      : [["", "Nothing is known of it any more."]];
    drawFacts(byId("journey-facts"), facts);
    journeyList.show(session?.steps || [], (call) => call.id);
  } catch { /* The connection is lost: the page says so. */ }
}

function openJourney(id) {
  journey.id = id;
  setText(byId("journey-title"), "Session " + id.slice(0, 8));
  byId("journey-facts").replaceChildren();
  journeyList.show([], String);
  byId("journey").showModal();
  drawJourney();
  journey.timer = setInterval(drawJourney, 2000);
}

byId("journey").addEventListener("close", () => {
  journey.id = null;
  clearInterval(journey.timer);
});
