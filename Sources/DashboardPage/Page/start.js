// Colours, and the first connection.
const themes = { auto: "as the system", light: "light", dark: "dark" };
const themeName = "berth colours";

function applyTheme(theme) {
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
  setAttribute(byId("theme"), "aria-label", "Colours: " + themes[theme]);
  setText(byId("theme").lastChild, { auto: "Auto", light: "Light", dark: "Dark" }[theme]);
}

function savedTheme() {
  const saved = localStorage.getItem(themeName);
  return saved in themes ? saved : "auto";
}

byId("theme").addEventListener("click", () => {
  const names = Object.keys(themes);
  const next = names[(names.indexOf(savedTheme()) + 1) % names.length];
  localStorage.setItem(themeName, next);
  applyTheme(next);
});

applyTheme(savedTheme());
connect();
