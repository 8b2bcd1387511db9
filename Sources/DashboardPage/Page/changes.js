// Changes need the admin token, which stays in this tab.
const tokenName = "berth admin token";
const pending = { change: null };

const token = () => sessionStorage.getItem(tokenName);

function drawLock() {
  const isOpen = token() !== null;
  setIcon(byId("unlock").firstChild, isOpen ? "open" : "lock");
  setText(byId("unlock").lastChild, isOpen ? "Lock changes" : "Unlock changes");
  setAttribute(byId("unlock"), "aria-label", isOpen ? "Lock changes" : "Unlock changes");
}

// Resolves to { ok, text } and forgets a token that was refused.
async function post(path) {
  const response = await fetch(path, { method: "POST", headers: { Authorization: "Bearer " + token() } });
  const text = await response.text();
  if (response.status === 401) {
    sessionStorage.removeItem(tokenName);
    drawLock();
  }
  let outcome = {};
  try { outcome = JSON.parse(text); } catch { /* A line of text. */ }
  return { status: response.status, ok: response.ok, text: outcome.error || (outcome.changes || []).join(", ") || outcome.outcome || text.trim() };
}

function askForToken() {
  setText(byId("token-problem"), "");
  byId("token-text").value = "";
  byId("token").showModal();
}

// Asks whether `change` ({ title, text, word, path }) is meant; then makes it.
function askForChange(change) {
  pending.change = change;
  if (token() === null) {
    askForToken();
    return;
  }
  setText(byId("confirm-title"), change.title);
  setText(byId("confirm-text"), change.text);
  setText(byId("confirm-yes"), change.word);
  setText(byId("confirm-problem"), "");
  byId("confirm").showModal();
}

byId("token").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(tokenName, byId("token-text").value.trim());
  byId("token-text").value = "";
  byId("token").close();
  drawLock();
  if (pending.change) askForChange(pending.change);
});

byId("confirm").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const change = pending.change;
  byId("confirm-yes").disabled = true;
  try {
    const outcome = await post(change.path);
    if (outcome.ok) {
      byId("confirm").close();
      toast(change.word + ": " + outcome.text);
    } else if (outcome.status === 401) {
      byId("confirm").close();
      askForToken();
      setText(byId("token-problem"), "That is not the token.");
    } else {
      setText(byId("confirm-problem"), outcome.text);
    }
  } catch {
    setText(byId("confirm-problem"), "Berth does not answer.");
  }
  byId("confirm-yes").disabled = false;
});

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => {
    const isOutside = event.target === dialog && (event.clientX < dialog.getBoundingClientRect().left || event.clientY < dialog.getBoundingClientRect().top || event.clientX > dialog.getBoundingClientRect().right || event.clientY > dialog.getBoundingClientRect().bottom);
    if (event.target.value === "cancel" || isOutside) dialog.close();
  });
}
byId("token").addEventListener("close", () => { if (token() === null) pending.change = null; });

byId("unlock").addEventListener("click", () => {
  if (token() === null) {
    pending.change = null;
    askForToken();
    return;
  }
  sessionStorage.removeItem(tokenName);
  drawLock();
  toast("Changes are locked");
});

onChange("process", ({ process: running }) => {
  setHidden(byId("unlock"), !running.changes?.length);
  setHidden(byId("reload"), !running.changes?.includes("reload"));
});
drawLock();
