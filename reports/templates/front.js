/* The interactive front: one chart a chapter, drawn by uPlot; its points are buttons, so that a pointer, a finger and a keyboard reach them alike. */
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const text = (span) => span ? number(span[0]) + (span.length > 1 ? ` (${number(span[1])} to ${number(span[2])})` : "") : "–";
  const number = (value) => String(Number(value.toPrecision(5)));

  function ticks(low, high, log, most) {
    if (log) {
      const at = (bases) => { const found = []; for (let k = -9; k < 10; k++) for (const b of bases) { const v = b * 10 ** k; if (v >= low && v <= high) found.push(v); } return found; };
      const twos = []; for (let k = -20; k < 21; k++) if (2 ** k >= low && 2 ** k <= high) twos.push(2 ** k);
      const fitting = [twos, at([1, 2, 5]), at([1, 3]), at([1])].find((found) => found.length > 1 && found.length <= most);
      if (fitting) return fitting;
    }
    const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map((b) => b * power).find((s) => s >= raw);
    const found = []; for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(Number(v.toPrecision(12)));
    return found;
  }

  function best(points, x, y, up) {
    const sorted = points.filter((p) => p.at[x] && p.at[y] && !p.flags.includes("collapsed")).sort((a, b) => a.at[x][0] - b.at[x][0]), found = new Map();
    let reached = -Infinity;
    for (const p of sorted) if (up * p.at[y][0] > reached) { reached = up * p.at[y][0]; found.set(p.at[x][0], p.at[y][0]); }
    return found;
  }

  function reach(values, log) {
    let low = Math.min(...values), high = Math.max(...values);
    if (log) { const pad = Math.max(0.05 * Math.log(high / low), 0.03); return [low * Math.exp(-pad), high * Math.exp(pad)]; }
    const pad = 0.08 * (high - low) || 0.05 * Math.abs(high) || 1;
    return [low - pad, high + pad];
  }

  function front(root) {
    const data = JSON.parse(root.querySelector("script").textContent), box = root.querySelector(".chart"), tip = root.querySelector(".tip");
    const metric = root.querySelector("[name=metric]"), cost = root.querySelector("[name=cost]"), boxes = [...root.querySelectorAll("[name=arm]")], note = root.querySelector(".level");
    let chart = null, buttons = [], current = 0;

    function describe(point) {
      const about = data.metrics[metric.value], lines = [["setting", point.setting], [data.costs[cost.value], text(point.at[cost.value])], [about.label, text(point.at[about.label]) + " " + about.unit]];
      return lines.concat([["n", String(point.n)], ["record", point.key], ["flags", [...point.flags, ...(point.busy.includes(cost.value) ? ["timed beside other work"] : [])].join(", ")]]).filter(([, value]) => value);
    }

    function show(button, point) {
      tip.replaceChildren();
      const head = document.createElement("b");
      head.textContent = data.arms[point.arm].name;
      tip.append(head);
      for (const [name, value] of describe(point)) {
        const line = document.createElement("span");
        line.textContent = `${name}: ${value}`;
        tip.append(line);
      }
      tip.hidden = false;
      const place = button.getBoundingClientRect(), frame = root.querySelector(".plot").getBoundingClientRect();
      const left = Math.min(Math.max(0, place.left - frame.left + place.width / 2 - tip.offsetWidth / 2), frame.width - tip.offsetWidth);
      const above = place.top - frame.top - tip.offsetHeight - 4;
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${above >= 0 ? above : place.bottom - frame.top + 4}px`;
    }

    const hide = () => { tip.hidden = true; };

    function draw() {
      const about = data.metrics[metric.value], y = about.label, x = cost.value, up = about.better === "higher" ? 1 : -1;
      const on = new Set(boxes.filter((b) => b.checked).map((b) => Number(b.value)));
      const known = data.points.filter((p) => p.at[x] && p.at[y] && p.at[x][0] > 0), shown = known.filter((p) => on.has(p.arm));
      if (chart) chart.destroy();
      chart = null; buttons = []; hide();
      box.dataset.shown = shown.length;
      if (!known.length) { box.textContent = "No point has both this cost and this metric."; return; }
      box.textContent = "";
      const [xlow, xhigh] = reach(known.flatMap((p) => p.at[x]).filter((v) => v > 0), true), [ylow, yhigh] = reach(known.flatMap((p) => p.at[y]), false);
      const lines = data.arms.map((_, k) => on.has(k) ? best(shown.filter((p) => p.arm === k), x, y, up) : new Map());
      const xs = [...new Set(lines.flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
      const width = box.clientWidth, height = Math.round(Math.min(440, Math.max(270, 0.5 * width))), most = Math.max(3, Math.floor(width / 90));
      const level = about.level, far = level !== null && (level < ylow || level > yhigh);
      note.textContent = level === null ? "" : `Held-out data: ${number(level)} ${about.unit}${far ? ", outside the chart" : ", dashed"}.`;
      const axis = (label, splits) => ({
        label, labelSize: 22, labelFont: "13px system-ui, sans-serif", font: "12px system-ui, sans-serif", stroke: () => colour("--ink"),
        grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { stroke: () => colour("--muted"), width: 1, size: 5 }, splits: () => splits, filter: (_, found) => found,
        values: (_, found) => found.map(number),
      });
      const arrow = { higher: "↑", lower: "↓" }[about.better];
      chart = new uPlot({
        width, height, padding: [10, 14, 0, 0], cursor: { show: false }, legend: { show: false },
        scales: { x: { time: false, distr: 3, range: () => [xlow, xhigh] }, y: { range: () => [ylow, yhigh] } },
        axes: [{ ...axis(data.costs[x], ticks(xlow, xhigh, true, most)), size: 34 }, { ...axis(`${y.replaceAll("_", " ")} ${arrow} (${about.unit})`, ticks(ylow, yhigh, false, 6)), size: 52 }],
        series: [{}, ...data.arms.map((arm) => ({ label: arm.name, stroke: () => arm.colour || colour("--ink"), width: 1.5, spanGaps: true, points: { show: false } }))],
        hooks: { draw: [(u) => bars(u, shown, x, y, level)], ready: [(u) => place(u, shown.sort((a, b) => a.at[x][0] - b.at[x][0]), x, y)] },
      }, xs.length ? [xs, ...lines.map((line) => xs.map((v) => line.has(v) ? line.get(v) : null))] : [[xlow, xhigh], ...data.arms.map(() => [null, null])], box);
    }

    function bars(u, shown, x, y, level) {
      const ctx = u.ctx, at = (v, scale) => u.valToPos(v, scale, true);
      ctx.save();
      ctx.lineWidth = 1.2 * devicePixelRatio;
      if (level !== null && level > u.scales.y.min && level < u.scales.y.max) {
        ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
        ctx.strokeStyle = colour("--muted");
        ctx.beginPath(); ctx.moveTo(u.bbox.left, at(level, "y")); ctx.lineTo(u.bbox.left + u.bbox.width, at(level, "y")); ctx.stroke();
        ctx.setLineDash([]);
      }
      for (const p of shown) {
        const [px, py] = [p.at[x], p.at[y]];
        ctx.strokeStyle = data.arms[p.arm].colour || colour("--ink");
        ctx.beginPath();
        if (py.length > 1) { ctx.moveTo(at(px[0], "x"), at(py[1], "y")); ctx.lineTo(at(px[0], "x"), at(py[2], "y")); }
        if (px.length > 1) { ctx.moveTo(at(px[1], "x"), at(py[0], "y")); ctx.lineTo(at(px[2], "x"), at(py[0], "y")); }
        ctx.stroke();
      }
      ctx.restore();
    }

    function place(u, shown, x, y) {
      current = Math.min(current, Math.max(0, shown.length - 1));
      buttons = shown.map((point, k) => {
        const arm = data.arms[point.arm], button = document.createElement("button");
        button.type = "button"; button.className = "point" + (point.flags.length || point.busy.includes(x) ? " doubtful" : ""); button.textContent = arm.sign; button.tabIndex = k === current ? 0 : -1;
        button.style.color = arm.colour || "var(--ink)";
        button.style.left = `${u.valToPos(point.at[x][0], "x")}px`; button.style.top = `${u.valToPos(point.at[y][0], "y")}px`;
        button.setAttribute("aria-label", [arm.name, ...describe(point).map(([name, value]) => `${name} ${value}`)].join(", "));
        button.addEventListener("pointerenter", () => show(button, point));
        button.addEventListener("pointerleave", hide);
        button.addEventListener("focus", () => { buttons[current].tabIndex = -1; current = k; button.tabIndex = 0; show(button, point); });
        button.addEventListener("blur", hide);
        return button;
      });
      const group = document.createElement("div");
      group.className = "points"; group.setAttribute("role", "group"); group.setAttribute("aria-label", "Operating points; arrow keys move between them");
      group.append(...buttons);
      group.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") hide();
        if (!step) return;
        event.preventDefault();
        buttons[(current + step + buttons.length) % buttons.length].focus();
      });
      u.over.append(group);
    }

    root.hidden = false;
    for (const control of [metric, cost, ...boxes]) control.addEventListener("change", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && chart.redraw());
    let width = 0;
    new ResizeObserver(() => { if (box.clientWidth !== width) { width = box.clientWidth; draw(); } }).observe(box);
  }

  document.querySelectorAll(".front").forEach(front);
})();
