// The configuration in force, fetched when somebody looks at it.
const configuration = { shown: null };

async function drawConfiguration() {
  const hash = figures.process?.hash;
  if (!byId("configuration").open || configuration.shown === hash) return;
  configuration.shown = hash;
  try {
    const response = await fetch("/config");
    setText(byId("configuration-text"), (await response.text()).trimEnd());
  } catch {
    configuration.shown = null;
    setText(byId("configuration-text"), "Berth does not answer.");
  }
}

byId("configuration").addEventListener("toggle", drawConfiguration);
byId("reload").addEventListener("click", () => askForChange({
  title: "Reload the configuration?", word: "Reload", path: "/reload",
  text: "The file is read again and what has changed takes effect. A file with an error changes nothing.",
}));

onChange("process", ({ process: running }) => {
  const facts = running.hash ? [
    ["Hash", running.hash],
    ["In force since", new Date(running.loaded_at).toLocaleString("en-GB")],
    ["Reloads", running.reloads.applied + " applied, " + running.reloads.unchanged + " without a change, " + running.reloads.rejected + " rejected"],
    ["Process", running.pid + ", " + format.plural(running.workers, "worker")],
  ] : [["Process", running.pid + ", " + format.plural(running.workers, "worker") + ", without a configuration file"]];
  drawFacts(byId("configuration-facts"), facts);
  setHidden(byId("configuration"), !running.hash);
  drawConfiguration();
});
