// What to give a client so that it finds Berth.
const json = (value) => JSON.stringify(value, null, 2);

const clients = [
  { name: "Claude Code", hint: "In a terminal:", text: ({ name, url }) => "claude mcp add --transport http " + name + " " + url },
  { name: "Cursor", hint: "In ~/.cursor/mcp.json:", text: ({ name, url }) => json({ mcpServers: { [name]: { url } } }) },
  { name: "VS Code", hint: "In .vscode/mcp.json:", text: ({ name, url }) => json({ servers: { [name]: { type: "http", url } } }) },
  {
    name: "Python", hint: "With the official SDK (pip install mcp):",
    text: ({ url }) => [
      "import asyncio", "", "from mcp import ClientSession", "from mcp.client.streamable_http import streamablehttp_client", "", "",
      "async def main():", "    async with streamablehttp_client(" + JSON.stringify(url) + ") as (read, write, _):",
      "        async with ClientSession(read, write) as session:", "            await session.initialize()",
      "            print([tool.name for tool in (await session.list_tools()).tools])", "", "", "asyncio.run(main())",
    ].join("\n"),
  },
];
const setup = { client: clients[0], place: 0, listeners: [] };

// A listener on every address is reached where this page was.
function reach(listener) {
  return { ...listener, url: listener.url.replace("//*", "//" + location.hostname) };
}

function drawSetup() {
  const listener = setup.listeners[setup.place] || setup.listeners[0];
  for (const client of clients) {
    setAttribute(client.tab, "aria-selected", String(client === setup.client));
    setAttribute(client.tab, "tabindex", client === setup.client ? "0" : "-1");
  }
  setAttribute(byId("setup-panel"), "aria-labelledby", setup.client.tab.id);
  setText(byId("setup-hint"), listener ? setup.client.hint : "There is no listener for clients.");
  setText(byId("setup-code"), listener ? setup.client.text(reach(listener)) : "");
  setHidden(byId("setup-copy"), !listener);
}

clients.forEach((client, index) => {
  client.tab = element("button", { type: "button", role: "tab", id: "setup-tab-" + index, "aria-controls": "setup-panel" }, client.name);
  client.tab.addEventListener("click", () => {
    setup.client = client;
    drawSetup();
  });
  byId("setup-tabs").append(client.tab);
});

byId("setup-tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  setup.client = clients[(clients.indexOf(setup.client) + step + clients.length) % clients.length];
  drawSetup();
  setup.client.tab.focus();
});

byId("setup-listener").lastChild.addEventListener("change", (event) => {
  setup.place = event.target.selectedIndex;
  drawSetup();
});

onChange("listeners", ({ listeners }) => {
  setup.listeners = listeners;
  byId("setup-listener").lastChild.replaceChildren(...listeners.map((listener) => element("option", {}, reach(listener).url)));
  setHidden(byId("setup-listener"), listeners.length < 2);
  setup.place = Math.min(setup.place, Math.max(0, listeners.length - 1));
  byId("setup-listener").lastChild.selectedIndex = setup.place;
  drawSetup();
});

byId("setup-copy").addEventListener("click", async () => {
  const code = byId("setup-code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    toast("Copied");
  } catch {
    // Not allowed without TLS on another machine: it is marked for the keyboard.
    getSelection().selectAllChildren(code);
    toast("Marked; copy it with the keyboard");
  }
});
