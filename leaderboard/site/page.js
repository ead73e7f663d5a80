"use strict";
// The chosen filters and sort order, and the page that follows from them.
(() => {
  const { element } = zoobench;
  const at = (id) => document.getElementById(id);
  const state = (zoobench.state = { zoo: "", task: "", method: "", track: "", find: "", references: true, papers: true, sort: "overall", direction: "descending", open: new Set() });
  const NAME = { key: "name", title: "embedder", about: "Open a row for its details", kind: "name", value: (row) => row.name };
  const METHOD = { key: "method", title: "method", about: "What kind of method it is", kind: "method", value: (row) => row.method };
  const AT_ONCE = 30;
  let board = null, columns = [], made = [], shown = AT_ONCE;

  const options = (select, first, values) => select.replaceChildren(...first.map(([value, text]) => element("option", { value }, text)), ...values.map((value) => element("option", { value }, value)));

  const distinct = (values) => [...new Set(values)].sort();

  const fillFilters = () => {
    options(at("zoo"), [["", "all zoos"]], board.zoos.map((zoo) => zoo.name));
    options(at("method"), [["", "all"]], distinct(board.rows.map((row) => row.method)));
    options(at("track"), [["", "all"]], distinct(board.rows.filter((row) => row.kind === "submission").map((row) => row.track)));
    fillTasks();
    at("tasks").append(zoobench.facts(tasksOf(board.zoos).map((task) => [task.id, task.summary])));
  };

  const tasksOf = (zoos) => [...new Map(zoos.flatMap((zoo) => zoo.tasks.map((task) => [task.id, task]))).values()];

  const fillTasks = () => {
    const zoos = board.zoos.filter((zoo) => !state.zoo || zoo.name === state.zoo);
    const tasks = tasksOf(zoos).map((task) => task.id);
    if (state.task && state.task !== "*" && !tasks.includes(state.task)) state.task = "";
    options(at("task"), [["", "summary"], ["*", "every task"]], tasks);
    at("task").value = state.task;
  };

  const fits = (row) =>
    (row.kind !== "reference" || state.references) && (row.kind !== "paper" || state.papers) &&
    (!state.method || row.method === state.method) &&
    (!state.track || row.kind !== "submission" || row.track === state.track) &&
    (!state.find || `${row.name} ${row.authors.join(" ")}`.toLowerCase().includes(state.find)) &&
    columns.some((column) => column.cell(row));

  const rankColumn = () => columns.find((column) => column.key === state.sort && column.kind === "score") ?? columns.find((column) => column.kind === "score");

  const keepSort = () => {
    if (![NAME, METHOD, ...columns].some((column) => column.key === state.sort)) {
      state.sort = columns[0].key;
      state.direction = "descending";
    }
  };

  const sortBy = (column) => {
    const first = column.kind === "score" ? "descending" : "ascending";
    state.direction = state.sort === column.key ? (state.direction === "ascending" ? "descending" : "ascending") : first;
    state.sort = column.key;
    shown = AT_ONCE;
    at("standings").scrollTop = 0;
    place();
    at("status").textContent = `Sorted by ${column.title}, ${state.direction}.`;
  };

  const place = () => {
    const column = [NAME, METHOD, ...columns].find((one) => one.key === state.sort);
    made.sort(zoobench.compare(column.value, state.direction));
    const ranked = rankColumn();
    zoobench.placeRows(at("rows"), made, { shown, rankKey: ranked.key, columns, board });
    at("more").hidden = shown >= made.length;
    at("more").textContent = `Show more of ${made.length} rows`;
    at("table").setAttribute("aria-rowcount", String(made.length + 1));
    for (const head of at("head").querySelectorAll("[data-key]")) head.setAttribute("aria-sort", head.dataset.key === state.sort ? state.direction : "none");
    at("rank-head").title = `Rank by ${ranked.about}`;
  };

  const show = () => {
    columns = zoobench.columns(board, state);
    keepSort();
    const rows = board.rows.filter(fits);
    made = rows.map((row, number) => ({ row, number, line: null, details: null }));
    shown = AT_ONCE;
    at("head").replaceChildren(element("th", { scope: "col", class: "rank", id: "rank-head" }, "rank"), ...[NAME, METHOD, ...columns].map((column) => zoobench.headCell(column, state, sortBy)));
    place();
    at("empty").hidden = rows.length > 0;
    const submissions = rows.filter((row) => row.kind === "submission").length;
    at("status").textContent = `${submissions} submission${submissions === 1 ? "" : "s"}, ${rows.length - submissions} other row${rows.length - submissions === 1 ? "" : "s"}.`;
    at("caption").textContent = `${state.zoo || "All zoos"}, ${state.task === "*" ? "every task" : state.task || "summary"}, in percent. Click a heading to sort, a name for details.`;
  };

  const listen = () => {
    at("filters").addEventListener("submit", (event) => event.preventDefault());
    at("filters").addEventListener("input", () => {
      const zoo = at("zoo").value;
      if (zoo !== state.zoo || at("task").value !== state.task) state.sort = "";
      Object.assign(state, { task: at("task").value, method: at("method").value, track: at("track").value, find: at("find").value.trim().toLowerCase(), references: at("references").checked, papers: at("papers").checked });
      if (zoo !== state.zoo) { state.zoo = zoo; fillTasks(); }
      show();
    });
  };

  // An open row stays open when filters change, and the URL names it.
  const ROW = "#row=";
  zoobench.toggled = (row, open) => {
    if (open) state.open.add(row); else state.open.delete(row);
    if (row.kind !== "paper") history.replaceState(null, "", open ? ROW + row.name : location.href.replace(/#.*/, "#"));
  };

  const openNamed = () => {
    const row = location.hash.startsWith(ROW) && board.rows.find((one) => one.kind !== "paper" && one.name === location.hash.slice(ROW.length));
    if (!row || state.open.has(row)) return;
    state.open.add(row);
    show();
    const found = made.findIndex((one) => one.row === row);
    if (found < 0) return;
    shown = Math.max(shown, found + 1);
    place();
    made[found].line.scrollIntoView({ block: "center" });
  };

  const more = () => {
    shown += AT_ONCE;
    place();
  };

  const moreWhenScrolled = () => {
    const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && !at("more").hidden && more(), { root: at("standings"), rootMargin: "300px" });
    seen.observe(at("more"));
    at("more").addEventListener("click", more);
  };

  // Called by data/board.js.
  zoobench.board = (given) => {
    board = given;
    const count = (number) => number.toLocaleString("en");
    at("zoos").textContent = `Benchmark ${board.benchmark}: ${board.zoos.map((zoo) => `${zoo.name} (${count(zoo.models)} test models, ${count(zoo.snapshots)} snapshots)`).join(", ")}.`;
    at("rules").hidden = !board.rules;
    fillFilters();
    listen();
    moreWhenScrolled();
    show();
    openNamed();
    window.addEventListener("hashchange", openNamed);
  };

  window.addEventListener("load", () => {
    if (!board) at("status").textContent = "There is no data yet: run zoobench leaderboard, then reload.";
  });
})();
