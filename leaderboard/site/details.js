"use strict";
// The details of a row: its authors, the command that reproduces it, and the predictions of each task.
(() => {
  const { element, link, percent } = zoobench;
  const waiting = new Map(), loaded = new Map();

  // Called by data/rows/{name}.js.
  zoobench.detail = (name, zoos) => {
    loaded.set(name, zoos);
    for (const show of waiting.get(name) ?? []) show(zoos);
    waiting.delete(name);
  };

  const whenLoaded = (name, show, fail) => {
    if (loaded.has(name)) return show(loaded.get(name));
    if (!/^[a-z0-9-]+$/.test(name)) return fail();
    if (waiting.has(name)) return waiting.get(name).push(show);
    waiting.set(name, [show]);
    const script = element("script", { src: `data/rows/${encodeURIComponent(name)}.js` });
    script.addEventListener("error", () => { waiting.delete(name); fail(); });
    document.head.append(script);
  };

  const facts = (zoobench.facts = (pairs) => {
    const list = element("dl");
    for (const [term, value] of pairs) {
      if (value === null || value === undefined || value === "") continue;
      list.append(element("div", {}, element("dt", {}, term), element("dd", {}, value)));
    }
    return list;
  });

  const settings = (given) => Object.entries(given).map(([key, value]) => `${key} = ${JSON.stringify(value)}`).join("\n");

  const command = (text) => {
    const button = element("button", { type: "button", class: "copy" }, "Copy");
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
      catch { button.textContent = "Select and copy it"; }
    });
    return element("div", { class: "command" }, element("code", {}, text), button);
  };

  const taskFigure = (zoo, name, task, cell) => {
    const title = `${zoo} ${name}`;
    const drawn = task.classes ? zoobench.confusion(task, title) : zoobench.scatter(task, title);
    const score = cell ? ` ${percent(cell.s)}` : "";
    const bounds = cell && typeof cell.lo === "number" ? ` (${percent(cell.lo)} … ${percent(cell.hi)})` : "";
    const seeds = task.seeds?.length ? element("span", { class: "seeds" }, `by seed: ${task.seeds.map((score) => (score === null ? "–" : percent(score))).join(", ")}`) : null;
    return element("figure", { class: task.classes?.length > 3 ? "wide" : null }, element("figcaption", {}, element("b", {}, name), score, element("span", {}, bounds), seeds), drawn);
  };

  const zooSection = (row, zoo, found) => {
    const figures = Object.entries(found.tasks).map(([name, task]) => taskFigure(zoo, name, task, row.cells[`${zoo}/${name}`]));
    return element("section", {},
      element("h3", {}, zoo),
      command(found.command),
      facts([
        ["embedder", element("code", {}, found.embedder)],
        ["dimensions", found.dim ? String(found.dim) : null],
        ["seeds", String(found.seeds)],
        ["weights reconstructed (no rank)", found.kept ? `R² ${percent(found.kept.s)} (${percent(found.kept.lo)} … ${percent(found.kept.hi)})` : null],
        ["seconds to embed", found.seconds.join(", ")],
        ["commit", found.commit ? element("code", {}, found.commit.slice(0, 12)) : null],
        ["machine", found.machine],
        ["result", element("a", { href: `data/results/${encodeURIComponent(row.name)}/${encodeURIComponent(zoo)}.json` }, "result.json")],
      ]),
      Object.keys(found.settings).length
        ? element("details", {}, element("summary", {}, "Settings"), element("pre", {}, settings(found.settings))) : null,
      element("div", { class: "figures" }, ...figures));
  };

  zoobench.detailsOf = (row, board) => {
    const place = element("div", { class: "opened" });
    place.append(element("p", { class: "description" }, row.description), facts([
      ["by", row.authors.join(", ")],
      ["code", row.code ? link(row.code, row.code) : null],
      ["described in", row.paper ? link(row.paper, row.paper) : null],
      ["licence", row.licence],
      ["trained on", row.training_data],
      ["run again", row.kind === "paper" ? null : row.verified ? "by a maintainer, all scores within their intervals" : "not yet"],
    ]));
    if (row.kind === "paper") return place;
    const rest = element("p", { class: "wait" }, "Loading …");
    place.append(rest);
    whenLoaded(row.name,
      (zoos) => rest.replaceWith(...board.zoos.filter((zoo) => zoos[zoo.name]).map((zoo) => zooSection(row, zoo.name, zoos[zoo.name]))),
      () => { rest.textContent = "The details are missing; run zoobench leaderboard to write them."; });
    return place;
  };
})();
