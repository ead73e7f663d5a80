"use strict";
// Predicted against true values: a scatter plot for numbers, a table of shares for classes.
(() => {
  const { element, drawing } = zoobench;
  const SIZE = 200, LEFT = 38, BOTTOM = 28, TOP = 6;

  const short = (number) => (number !== 0 && Math.abs(number) < 0.001 ? number.toExponential(0) : String(Number(number.toPrecision(2))));

  zoobench.scatter = (task, title) => {
    const all = [...task.true, ...task.predicted];
    let low = Math.min(...all), high = Math.max(...all);
    if (low === high) [low, high] = [low - 1, high + 1];
    const x = (value) => LEFT + ((value - low) / (high - low)) * (SIZE - LEFT - TOP);
    const y = (value) => SIZE - BOTTOM - ((value - low) / (high - low)) * (SIZE - BOTTOM - TOP);
    const svg = drawing("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": `${title}: predicted against true for ${task.true.length} snapshots, from ${short(low)} to ${short(high)}` });
    svg.append(drawing("rect", { x: LEFT, y: TOP, width: SIZE - LEFT - TOP, height: SIZE - BOTTOM - TOP, class: "frame" }));
    svg.append(drawing("line", { x1: x(low), y1: y(low), x2: x(high), y2: y(high), class: "diagonal" }));
    task.true.forEach((value, place) => svg.append(drawing("circle", { cx: x(value).toFixed(1), cy: y(task.predicted[place]).toFixed(1), r: 2.1, class: "point" })));
    const label = (text, at) => svg.append(drawing("text", at, text));
    label(short(low), { x: LEFT, y: SIZE - BOTTOM + 11, class: "tick" });
    label(short(high), { x: SIZE - TOP, y: SIZE - BOTTOM + 11, class: "tick end" });
    label(short(low), { x: LEFT - 3, y: SIZE - BOTTOM, class: "tick end" });
    label(short(high), { x: LEFT - 3, y: TOP + 8, class: "tick end" });
    label("true", { x: (SIZE + LEFT) / 2, y: SIZE - 5, class: "axis" });
    label("predicted", { x: 10, y: SIZE / 2 - 8, class: "axis", transform: `rotate(-90 10 ${SIZE / 2 - 8})` });
    return svg;
  };

  zoobench.confusion = (task, title) => {
    const head = element("tr", {}, element("th", { scope: "col" }, "true ↓ predicted →"));
    for (const name of task.classes) head.append(element("th", { scope: "col" }, name));
    const body = task.counts.map((counts, place) => {
      const total = counts.reduce((sum, count) => sum + count, 0) || 1;
      const line = element("tr", {}, element("th", { scope: "row" }, task.classes[place]));
      for (const count of counts) {
        const cell = element("td", {}, `${Math.round((100 * count) / total)}`);
        cell.style.setProperty("--share", (count / total).toFixed(3));
        line.append(cell);
      }
      return line;
    });
    return element("table", { class: "confusion" }, element("caption", { class: "hidden" }, `${title}: share of each true class that was predicted as each class, in percent`), element("thead", {}, head), element("tbody", {}, ...body));
  };
})();
