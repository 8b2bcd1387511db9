// How figures are written. All times are milliseconds unless a name says otherwise.
const format = {
  count(value) {
    if (value == null) return "–";
    if (value >= 1e6) return (value / 1e6).toFixed(value >= 1e7 ? 0 : 1) + "M";
    if (value >= 1e4) return (value / 1e3).toFixed(value >= 1e5 ? 0 : 1) + "k";
    return Math.round(value).toLocaleString("en");
  },
  rate(value) {
    if (value == null) return "–";
    if (value === 0) return "0";
    return value < 10 ? value.toFixed(1) : format.count(value);
  },
  time(value) {
    if (value == null) return "–";
    if (value < 10) return value.toFixed(1) + " ms";
    if (value < 1000) return Math.round(value) + " ms";
    if (value < 10_000) return (value / 1000).toFixed(2) + " s";
    if (value < 120_000) return (value / 1000).toFixed(1) + " s";
    return format.span(value / 1000);
  },
  // `value` is a share from 0 to 1.
  percent(value) {
    if (value == null) return "–";
    if (value === 0) return "0 %";
    const percent = value * 100;
    return (percent < 0.1 ? "< 0.1" : percent < 10 ? percent.toFixed(1) : Math.round(percent)) + " %";
  },
  // Two units at most: 3 d 4 h, 12 min, 40 s.
  span(seconds) {
    if (seconds == null) return "–";
    const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
    let rest = Math.max(0, Math.floor(seconds));
    const first = units.findIndex(([, size]) => rest >= size);
    if (first < 0) return "0 s";
    const parts = [];
    for (const [name, size] of units.slice(first, first + (first < 2 ? 2 : 1))) {
      const amount = Math.floor(rest / size);
      rest -= amount * size;
      if (amount > 0) parts.push(amount + " " + name);
    }
    return parts.join(" ");
  },
  clock(milliseconds) {
    return new Date(milliseconds).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  },
  times(count) { return ["never", "once", "twice"][count] || count + " times"; },
  plural(count, noun) { return format.count(count) + " " + noun + (count === 1 ? "" : "s"); },
};
