"use strict";
// The columns for the chosen zoo and task. A column knows its value and its text in a row.
(() => {
  const { percent } = zoobench;

  const scoreOf = (key) => (row) => row.cells[key] ?? null;
  const rankOf = (key) => (row) => row.mean_ranks[key] ?? null;

  zoobench.scoreColumn = (key, title, about) => ({
    key, title, about, kind: "score", cell: scoreOf(key),
    value: (row) => scoreOf(key)(row)?.s ?? null,
    text: (cell) => percent(cell.s) + (cell.sure === false ? "?" : ""),
  });

  zoobench.meanRankColumn = (key, title, about) => ({
    key: `rank ${key}`, title, about, kind: "mean-rank", cell: rankOf(key),
    value: (row) => rankOf(key)(row)?.s ?? null,
    text: (cell) => cell.s.toFixed(1),
  });

  const taskTitle = (board, zoo, task) => (board.zoos.length > 1 && !zoobench.state.zoo ? `${zoo.name} ${task.id}` : task.id);

  const taskColumns = (board, zoo, wanted) =>
    zoo.tasks
      .filter((task) => !wanted || task.id === wanted)
      .map((task) => {
        const metric = task.metric === "accuracy" ? "accuracy" : task.metric === "r2" ? "R²" : "Kendall τ";
        return zoobench.scoreColumn(`${zoo.name}/${task.id}`, taskTitle(board, zoo, task), `${zoo.name}: ${task.summary} (${metric}, percent)`);
      });

  // state: zoo ("" = all), task ("" = summary, "*" = every task, or the id of one).
  zoobench.columns = (board, state) => {
    const zoos = board.zoos.filter((zoo) => !state.zoo || zoo.name === state.zoo);
    const key = state.zoo || "overall";
    const where = state.zoo ? state.zoo : "all zoos";
    const columns = [];
    if (!state.task || state.task === "*") {
      columns.push(zoobench.scoreColumn(key, state.zoo ? "mean" : "overall", `Mean over the tasks of ${where}; chance is 0, perfect is 100`));
      columns.push(zoobench.meanRankColumn(key, "mean rank", `Mean of the ranks on the tasks of ${where}; missing if one of the scores is missing`));
    }
    if (!state.zoo && (!state.task || state.task === "*")) {
      for (const zoo of zoos) columns.push(zoobench.scoreColumn(zoo.name, zoo.name, `Mean over the tasks of ${zoo.name}; chance is 0, perfect is 100`));
    }
    if (state.task || state.zoo) {
      const wanted = state.task === "*" ? "" : state.task;
      for (const zoo of zoos) columns.push(...taskColumns(board, zoo, wanted));
    }
    return columns;
  };
})();
