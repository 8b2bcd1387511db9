// Single calls: those that failed, those that were slow, and those of one session.
const outcomeWord = {
  success: "answered", tool_error: "tool error", rpc_error: "error", http_error: "HTTP error", timeout: "timed out",
  cancelled: "cancelled", aborted: "broke off", rejected: "rejected",
};
const outcomeTone = {
  success: "good", tool_error: "bad", rpc_error: "bad", http_error: "bad", timeout: "bad", cancelled: "quiet", aborted: "bad",
  rejected: "bad",
};
const outcomeIcon = { good: "good", bad: "bad", quiet: "paused" };

function outcomeOf(call) {
  const detail = { rpc_error: call.code, http_error: call.status, rejected: call.reason }[call.outcome];
  return outcomeWord[call.outcome] + (detail ? " " + detail : "");
}

const nameOf = (call) => call.name || call.method;

function sessionButton() {
  const button = element("button", { type: "button", class: "plain mono" });
  button.addEventListener("click", () => openJourney(button.dataset.session));
  return button;
}

function makeCallTable(id, columns, noun, limit, emptyText) {
  const table = byId(id);
  tableHead(table, columns);
  const body = element("tbody");
  table.append(body);
  const empty = element("tr", { class: "empty" }, element("td", { colspan: columns.length }, emptyText));
  const list = new KeyedList(body, () => {
    const cell = (classes) => element("td", { class: classes });
    const name = element("span", { class: "name" }), sub = element("span", { class: "sub" }), session = sessionButton();
    const row = { name, sub, session, time: cell("left quiet first"), detail: cell("left outcome first"), took: cell(""), server: cell("left third quiet"), sessionCell: cell("left second") };
    row.sessionCell.append(session);
    row.node = element("tr", {}, row.time, element("th", { scope: "row", class: "rest" }, name, sub), row.detail, row.took, row.server, row.sessionCell);
    return row;
  }, (row, call) => {
    setText(row.time, format.clock(call.at));
    setText(row.name, nameOf(call));
    setAttribute(row.name, "title", call.method + (call.name ? " " + call.name : ""));
    const tone = call.outcome === "success" ? null : outcomeTone[call.outcome];
    setText(row.sub, outcomeOf(call) + " · " + format.clock(call.at));
    setAttribute(row.sub, "data-tone", tone);
    setText(row.detail, outcomeOf(call));
    setAttribute(row.detail, "title", outcomeOf(call));
    setAttribute(row.detail, "data-tone", tone);
    setText(row.took, format.time(call.took));
    setText(row.server, call.server || "–");
    setHidden(row.session, !call.session);
    setText(row.session, (call.session || "").slice(0, 8));
    row.session.dataset.session = call.session || "";
    setAttribute(row.session, "aria-label", "Session " + call.session);
  });
  const excerpt = new Excerpt(byId("all-" + id), limit, noun, () => redraw("calls"));
  return (calls) => {
    if (calls.length) empty.remove();
    list.show(excerpt.of(calls), (call) => call.id, false);
    if (!calls.length) body.append(empty);
  };
}

const callColumns = [["Time", "left first"], ["Call", "left"], ["Outcome", "left first"], ["Took", ""], ["Server", "left third"], ["Session", "left second"]];
const drawFailed = makeCallTable("failed", callColumns, "failed calls", 8, "No call has failed lately.");
const drawSlow = makeCallTable("slow", callColumns, "slow calls", 8, "No call was slow lately.");

onChange("calls", ({ calls }) => {
  if (!calls) return;
  drawFailed(calls.failed);
  drawSlow(calls.slow);
  setText(byId("failed-note"), calls.failed.length ? "newest first" : "");
  setText(byId("slow-note"), "longer than " + format.time(calls.slow_from));
});
