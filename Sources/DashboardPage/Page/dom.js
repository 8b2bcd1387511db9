// The page's elements. Text that comes from Berth is only ever set as text, never as markup.
const byId = (id) => document.getElementById(id);

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value != null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function drawing(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function icon(name) {
  const made = drawing("svg", { "aria-hidden": "true" });
  made.append(drawing("use", { href: "#" + name }));
  return made;
}

// Writes only what differs: an unchanged page costs no layout and makes no nodes.
function setText(node, text) {
  text = String(text);
  const child = node.firstChild;
  if (child && child.nodeType === 3 && !child.nextSibling) {
    if (child.data !== text) child.data = text;
  } else {
    node.textContent = text;
  }
}

function setAttribute(node, name, value) {
  if (value == null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value);
  }
}

function setIcon(svg, name) { setAttribute(svg.firstChild, "href", "#" + name); }

function setHidden(node, hidden) { if (node.hidden !== hidden) node.hidden = hidden; }

// How full a bar is, from 0 to 1.
function setFill(bar, share) {
  const value = "scaleX(" + Math.min(1, Math.max(0, share)).toFixed(3) + ")";
  if (bar.style.transform !== value) bar.style.transform = value;
}

// Children of a parent, one for each item, known by key. `make` returns { node, … }, `update` brings it up to date.
class KeyedList {
  constructor(parent, make, update, { after = null } = {}) {
    Object.assign(this, { parent, make, update, after, known: new Map() });
  }

  // `keepsOrder`: those that are there stay where they are, so that nothing moves under the pointer.
  show(items, keyOf, keepsOrder = false) {
    const wanted = new Map(items.map((item) => [keyOf(item), item]));
    for (const [key, entry] of this.known) {
      if (wanted.has(key)) continue;
      entry.node.remove();
      this.known.delete(key);
    }
    let place = this.after ? this.after.nextSibling : this.parent.firstChild;
    for (const [key, item] of wanted) {
      let entry = this.known.get(key);
      const isNew = !entry;
      if (isNew) this.known.set(key, (entry = this.make(item)));
      this.update(entry, item);
      if (keepsOrder && !isNew) continue;
      if (entry.node === place) place = place.nextSibling;
      else this.parent.insertBefore(entry.node, keepsOrder ? null : place);
    }
  }
}

// A table's rows stay in place while somebody points at them or has the focus in them.
const isInUse = (node) => node.matches(":hover") || node.contains(document.activeElement);

// Shows the first `limit` items, and a button for the others.
class Excerpt {
  constructor(button, limit, noun, changed) {
    Object.assign(this, { button, limit, noun, showsAll: false });
    button.addEventListener("click", () => {
      this.showsAll = !this.showsAll;
      changed();
    });
  }

  of(items) {
    setHidden(this.button, items.length <= this.limit);
    setText(this.button, this.showsAll ? "Show fewer" : "Show all " + items.length.toLocaleString("en") + " " + this.noun);
    setAttribute(this.button, "aria-expanded", String(this.showsAll));
    return this.showsAll ? items : items.slice(0, this.limit);
  }
}

// Terms and what they are, as [name, text] each.
function drawFacts(list, facts) {
  if (list.children.length !== 2 * facts.length || facts.some(([name], at) => list.children[2 * at].textContent !== name)) {
    list.replaceChildren(...facts.flatMap(([name]) => [element("dt", {}, name), element("dd")]));
  }
  facts.forEach(([, text], at) => setText(list.children[2 * at + 1], text));
}

function tableHead(table, columns) {
  const row = element("tr");
  for (const [text, classes] of columns) {
    row.append(element("th", { scope: "col", class: classes }, text || element("span", { class: "sr" }, "Changes")));
  }
  table.append(element("thead", {}, row));
}

let lastAnnouncement = "";
// Said by screen readers when there is time.
function announce(text) {
  if (text === lastAnnouncement) return;
  lastAnnouncement = text;
  setText(byId("announcer"), text);
}

let toastTimer = 0;
function toast(text) {
  setText(byId("toast"), text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => byId("toast").replaceChildren(), 6000);
}
