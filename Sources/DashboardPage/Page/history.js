// The last two minutes of a figure, a sample a second, and its small chart. null: there was nothing to measure.
const historyLength = 120;

class History {
  constructor() { this.samples = []; }

  add(value) {
    this.samples.push(value);
    if (this.samples.length > historyLength) this.samples.shift();
  }

  get highest() { return this.samples.reduce((most, value) => Math.max(most, value ?? 0), 0); }
}

class Sparkline {
  constructor(width = 84, height = 22) {
    Object.assign(this, { width, height });
    this.node = drawing("svg", {
      class: "spark", viewBox: "0 0 " + width + " " + height, preserveAspectRatio: "none", "aria-hidden": "true",
    });
    this.base = drawing("path", { class: "base", d: "M0 " + (height - 1) + "H" + width });
    this.area = drawing("path", { class: "area" });
    this.line = drawing("path", { class: "line" });
    this.node.append(this.base, this.area, this.line);
  }

  // The newest sample is at the right edge. A sample that is missing is bridged.
  show(history) {
    const top = 2, bottom = this.height - 1;
    const scale = (bottom - top) / (history.highest || 1);
    const step = this.width / (historyLength - 1);
    const start = historyLength - history.samples.length;
    let line = "", first = null, last = null;
    history.samples.forEach((value, index) => {
      if (value == null) return;
      const x = ((start + index) * step).toFixed(1);
      line += (line ? "L" : "M") + x + " " + (bottom - value * scale).toFixed(1);
      first ??= x;
      last = x;
    });
    setAttribute(this.line, "d", line);
    setAttribute(this.area, "d", line && line + "L" + last + " " + bottom + "L" + first + " " + bottom + "Z");
  }
}
