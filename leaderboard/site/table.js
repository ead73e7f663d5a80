"use strict";
// The table: cells made once for each choice of columns, sorting only moves rows.
(() => {
  const { element, percent } = zoobench;

  const ties = (rows, key) => {
    const counts = new Map();
    for (const row of rows) {
      const rank = row.cells[key]?.r;
      if (rank) counts.set(`${row.track} ${rank}`, (counts.get(`${row.track} ${rank}`) ?? 0) + 1);
    }
    return (row) => (counts.get(`${row.track} ${row.cells[key]?.r}`) ?? 0) > 1;
  };

  zoobench.rankText = (row, key, tied) => {
    const rank = row.cells[key]?.r;
    return rank ? `${rank}${tied(row) ? "=" : ""}` : "";
  };

  const spoken = (cell, column) => {
    const bounds = typeof cell.lo === "number" ? `, 95 % interval ${column.kind === "score" ? `${percent(cell.lo)} to ${percent(cell.hi)}` : `${cell.lo.toFixed(1)} to ${cell.hi.toFixed(1)}`}` : "";
    return `${column.text(cell)}${bounds}${cell.r ? `, rank ${cell.r}` : ""}`;
  };

  const clip = (share) => Math.min(1, Math.max(0, share));

  const scoreCell = (row, column) => {
    const cell = column.cell(row);
    if (!cell) return element("td", { class: "missing" }, "–");
    const made = element("td", { class: column.kind, title: spoken(cell, column) }, column.text(cell));
    if (column.kind === "score") {
      made.style.setProperty("--s", clip(cell.s).toFixed(3));
      if (typeof cell.lo === "number") {
        made.style.setProperty("--lo", clip(cell.lo).toFixed(3));
        made.style.setProperty("--hi", clip(cell.hi).toFixed(3));
      } else made.classList.add("bare");
      if (cell.r === 1) made.classList.add("best");
    }
    return made;
  };

  const badges = (row) => [
    row.kind === "submission" ? null : element("span", { class: `badge ${row.kind}` }, row.kind === "paper" ? "in the paper" : "reference"),
    row.kind === "submission" && row.track !== "weights" ? element("span", { class: "badge" }, row.track) : null,
    row.verified ? element("span", { class: "badge verified", title: "run again by others, within its intervals" }, "verified") : null,
  ].filter(Boolean);

  const nameCell = (row, place, toggle) => {
    const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": `details-${place}` }, row.name);
    button.addEventListener("click", () => toggle(button));
    return element("th", { scope: "row" }, button, ...badges(row));
  };

  zoobench.makeRow = (row, place, columns, board) => {
    const rank = element("td", { class: "rank" });
    const line = element("tr", { class: row.kind });
    let details = null;
    const toggle = (button) => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      if (open) { details.remove(); details = null; return; }
      const inside = element("td", { colspan: columns.length + 3 }, zoobench.detailsOf(row, board));
      details = element("tr", { class: "details", id: `details-${place}` }, inside);
      line.after(details);
    };
    line.append(rank, nameCell(row, place, toggle), element("td", { class: "method" }, row.method));
    for (const column of columns) line.append(scoreCell(row, column));
    return { row, line, rank, get details() { return details; } };
  };

  const number = (value) => (value === null || value === undefined ? null : value);

  // What is missing stays last, whichever way the rest is sorted.
  zoobench.compare = (value, direction) => (a, b) => {
    const x = number(value(a.row)), y = number(value(b.row));
    if (x === null || y === null) return (x === null) - (y === null);
    const order = typeof x === "string" ? x.localeCompare(y) : x - y;
    return direction === "ascending" ? order : -order;
  };

  zoobench.placeRows = (body, made, rankKey) => {
    const tied = ties(made.map((one) => one.row), rankKey);
    for (const one of made) one.rank.textContent = zoobench.rankText(one.row, rankKey, tied);
    body.replaceChildren(...made.flatMap((one) => (one.details ? [one.line, one.details] : [one.line])));
  };

  zoobench.headCell = (column, state, sortBy) => {
    const sorted = state.sort === column.key;
    const button = element("button", { type: "button", title: column.about }, column.title);
    button.addEventListener("click", () => sortBy(column));
    return element("th", { scope: "col", class: column.kind, "aria-sort": sorted ? state.direction : "none", "data-key": column.key }, button);
  };
})();
