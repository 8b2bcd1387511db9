// What the tools cost those who call them.

// Seconds that callers have waited, with each failure as ten times its call: what is worth mending first.
const hurtOf = (tool) => tool.calls * (1 + 10 * tool.error_rate) * (tool.p95 || 1) / 1000;

const toolColumns = [
  { name: "Tool", key: "name", classes: "left", of: (tool) => tool.name },
  { name: "Impact", key: "hurt", classes: "wide first", of: hurtOf, title: "p95 times calls, with failed calls counted tenfold" },
  { name: "Calls", key: "calls", classes: "", of: (tool) => tool.calls },
  { name: "p50", key: "p50", classes: "third", of: (tool) => tool.p50 ?? -1 },
  { name: "p95", key: "p95", classes: "", of: (tool) => tool.p95 ?? -1 },
  { name: "p99", key: "p99", classes: "third", of: (tool) => tool.p99 ?? -1 },
  { name: "Errors", key: "error_rate", classes: "", of: (tool) => tool.error_rate },
  { name: "Upstream", key: "upstream", classes: "left second", of: (tool) => tool.upstream },
];
const toolOrder = { column: toolColumns[1], isDescending: true, isNew: false };
let toolSearch = "";

function drawToolHead() {
  for (const column of toolColumns) {
    const isChosen = column === toolOrder.column;
    setAttribute(column.head, "aria-sort", isChosen ? (toolOrder.isDescending ? "descending" : "ascending") : null);
  }
}

{
  const row = element("tr");
  for (const column of toolColumns) {
    const button = element("button", { type: "button", title: column.title }, column.name);
    button.addEventListener("click", () => {
      const isText = column.key === "name" || column.key === "upstream";
      toolOrder.isDescending = column === toolOrder.column ? !toolOrder.isDescending : !isText;
      toolOrder.column = column;
      // Rows stay where they are under the pointer, but not when another order is asked for.
      toolOrder.isNew = true;
      drawToolHead();
      redraw("tools");
    });
    column.head = element("th", { scope: "col", class: column.classes }, button);
    row.append(column.head);
  }
  byId("tools").append(element("thead", {}, row), element("tbody"));
  drawToolHead();
}

const toolList = new KeyedList(
  byId("tools").tBodies[0],
  () => {
    const cell = (classes) => element("td", { class: classes });
    const name = element("span", { class: "name" }), fill = element("i");
    const cells = { calls: cell(""), p50: cell("third"), p95: cell(""), p99: cell("third"), errors: cell(""), upstream: cell("left second quiet") };
    const hurt = cell("wide first");
    hurt.append(element("span", { class: "hurt", "aria-hidden": "true" }, fill), element("span", { class: "sr" }));
    return {
      name, fill, hurt, ...cells,
      node: element("tr", {}, element("th", { scope: "row" }, name), hurt, cells.calls, cells.p50, cells.p95, cells.p99, cells.errors, cells.upstream),
    };
  },
  (row, tool) => {
    setText(row.name, tool.name);
    setAttribute(row.name, "title", tool.name);
    setFill(row.fill, tool.share);
    setText(row.hurt.lastChild, Math.round(tool.share * 100) + " of 100");
    setText(row.calls, format.count(tool.calls));
    setText(row.p50, format.time(tool.p50));
    setText(row.p95, format.time(tool.p95));
    setAttribute(row.p95, "data-tone", tool.p95 > 5000 ? "warning" : null);
    setText(row.p99, format.time(tool.p99));
    setText(row.errors, format.percent(tool.error_rate));
    setAttribute(row.errors, "data-tone", tool.error_rate > 0.05 ? "bad" : null);
    setText(row.upstream, tool.upstream);
  });
const toolExcerpt = new Excerpt(byId("all-tools"), 15, "tools", () => redraw("tools"));
const noTools = element("tr", { class: "empty" }, element("td", { colspan: "8" }, "No tool was called in the last five minutes."));

onChange("tools", ({ tools }) => {
  if (!tools) return;
  const worst = tools.reduce((most, tool) => Math.max(most, hurtOf(tool)), 0) || 1;
  for (const tool of tools) tool.share = hurtOf(tool) / worst;
  const { column, isDescending } = toolOrder;
  const found = tools.filter((tool) => tool.name.toLowerCase().includes(toolSearch));
  found.sort((a, b) => {
    const left = column.of(a), right = column.of(b);
    const order = typeof left === "string" ? left.localeCompare(right) : left - right;
    return (isDescending ? -order : order) || a.name.localeCompare(b.name);
  });
  const body = byId("tools").tBodies[0];
  if (found.length) noTools.remove();
  toolList.show(toolExcerpt.of(found), (tool) => tool.upstream + "/" + tool.name, !toolOrder.isNew && body.matches(":hover"));
  toolOrder.isNew = false;
  if (!found.length) body.append(noTools);
  setHidden(byId("tools-search"), tools.length <= toolExcerpt.limit);
  setText(byId("tools-note"), tools.length ? format.plural(tools.length, "tool") + ", those that hurt most first" : "");
});

byId("tools-search").lastChild.addEventListener("input", (event) => {
  toolSearch = event.target.value.trim().toLowerCase();
  redraw("tools");
});
