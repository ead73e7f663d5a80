"use strict";
// The table: a row is made when it is first shown; sorting only moves rows.
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
    const label = spoken(cell, column);
    const made = element("td", { class: column.kind, title: label, "aria-label": label }, column.text(cell));
    if (column.kind === "score") {
      made.style.setProperty("--s", clip(cell.s).toFixed(3));
      if (typeof cell.lo === "number") {
        const low = clip(cell.lo), wide = clip(cell.hi) - low;
        // background-position is a share of the space that the background leaves free.
        made.style.setProperty("--from", (wide < 1 ? low / (1 - wide) : 0).toFixed(4));
        made.style.setProperty("--wide", wide.toFixed(4));
      } else made.classList.add("bare");
      if (cell.r === 1) made.classList.add("best");
    } else if (typeof cell.lo === "number") {
      made.append(element("span", { class: "range" }, `${cell.lo.toFixed(1)} … ${cell.hi.toFixed(1)}`));
    }
    return made;
  };

  const badges = (row) => [
    row.kind === "submission" ? null : element("span", { class: `badge ${row.kind}` }, row.kind === "paper" ? "in the paper" : "reference"),
    row.kind === "submission" && row.track !== "weights" ? element("span", { class: "badge" }, row.track) : null,
    row.verified ? element("span", { class: "badge verified", title: "run again by a maintainer, all scores within their intervals" }, "verified") : null,
  ].filter(Boolean);

  const nameCell = (row, place, toggle) => {
    const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": `details-${place}` }, row.name);
    button.addEventListener("click", () => toggle(button));
    return element("th", { scope: "row" }, button, ...badges(row));
  };

  const fill = (one, columns, board) => {
    const { row, number } = one;
    one.rank = element("td", { class: "rank" });
    one.line = element("tr", { class: row.kind });
    const toggle = (button) => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      zoobench.toggled(row, !open);
      if (open) { one.details.remove(); one.details = null; return; }
      const inside = element("td", { colspan: columns.length + 3 }, zoobench.detailsOf(row, board));
      one.details = element("tr", { class: "details", id: `details-${number}` }, inside);
      one.line.after(one.details);
    };
    one.line.append(one.rank, nameCell(row, number, toggle), element("td", { class: "method" }, row.method));
    for (const column of columns) one.line.append(scoreCell(row, column));
    if (zoobench.state.open.has(row)) toggle(one.line.querySelector("button"));
  };

  const number = (value) => (value === null || value === undefined ? null : value);

  // Missing values stay last in either direction.
  zoobench.compare = (value, direction) => (a, b) => {
    const x = number(value(a.row)), y = number(value(b.row));
    if (x === null || y === null) return (x === null) - (y === null);
    const order = typeof x === "string" ? x.localeCompare(y) : x - y;
    return direction === "ascending" ? order : -order;
  };

  // With many cells, layout takes most of the time, so the page holds only the first rows.
  zoobench.placeRows = (body, all, { shown, rankKey, columns, board }) => {
    const tied = ties(all.map((one) => one.row), rankKey);
    const placed = all.slice(0, shown);
    placed.forEach((one, place) => {
      if (!one.line) fill(one, columns, board);
      one.rank.textContent = zoobench.rankText(one.row, rankKey, tied);
      one.line.setAttribute("aria-rowindex", String(place + 2));
    });
    body.replaceChildren(...placed.flatMap((one) => (one.details ? [one.line, one.details] : [one.line])));
  };

  zoobench.headCell = (column, state, sortBy) => {
    const sorted = state.sort === column.key;
    const button = element("button", { type: "button", title: column.about }, column.title);
    button.addEventListener("click", () => sortBy(column));
    return element("th", { scope: "col", class: column.kind, "aria-sort": sorted ? state.direction : "none", "data-key": column.key }, button);
  };
})();
