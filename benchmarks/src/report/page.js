"use strict";
// The viewer of attempts: a list that is searched and filtered, and one attempt in full. Text is only ever set as text.
const runs = JSON.parse(document.getElementById("data").textContent);
const PARTS = [["tools", "tools listed", "#2f9e6e"], ["meta_tools", "the gate's own tools", "#7a5cd6"], ["system", "system", "#2f7fd1"],
  ["query", "question", "#e09f1f"], ["said", "said before", "#d95f2b"], ["results", "results", "#c23b5e"], ["output", "answer", "#7d8590"]];
const SHOWN = 300;

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const endOf = (line) => typeof line.trace.end === "object" ? "broken" : line.solved ? "solved" : line.stopped || "failed";

function waterfall(round) {
  const bar = element("div", undefined, "bar");
  const values = { ...round.parts, output: round.output };
  const total = PARTS.reduce((sum, [key]) => sum + (values[key] || 0), 0) || 1;
  for (const [key, name, colour] of PARTS) {
    if (!values[key]) continue;
    const part = element("span");
    part.style.cssText = `width:${100 * values[key] / total}%;background:${colour}`;
    part.title = `${name}: ${values[key]} tokens`;
    bar.append(part);
  }
  return bar;
}

function shown(line) {
  const box = document.createDocumentFragment();
  const end = endOf(line);
  box.append(element("h3", `${line.task} · ${line.arm} · trial ${line.trial}`));
  box.append(element("div", end === "solved" ? "solved" : `stopped at ${end}, ${(100 * line.score).toFixed(0)} % done`, end === "solved" ? "good" : "bad"));
  box.append(element("div", `${line.usage.input + line.usage.output} tokens in ${line.trace.rounds.length} requests, ${line.ms} ms`, "note"));
  box.append(element("pre", line.query));
  if (line.trace.unseen) box.append(element("div", `never seen: ${line.trace.unseen.join(", ")}`, "bad"));
  line.trace.rounds.forEach((round, at) => {
    const part = element("div", undefined, "round");
    const sent = PARTS.slice(0, -1).reduce((sum, [key]) => sum + (round.parts[key] || 0), 0);
    part.append(element("b", `Request ${at + 1}`), ` ${sent} tokens sent, ${round.output} answered`, waterfall(round));
    if (round.text) part.append(element("pre", round.text));
    for (const call of round.calls || []) {
      const failed = !["ran", "meta"].includes(call.status);
      part.append(element("div", `${call.name}${call.tool && call.tool !== call.name ? ` → ${call.tool}` : ""}: ${call.status}`, failed ? "bad" : "good"));
      part.append(element("pre", call.arguments));
      if (call.answer) part.append(element("pre", call.answer));
    }
    box.append(part);
  });
  if (typeof line.trace.end === "object") box.append(element("div", `broke: ${Object.values(line.trace.end)[0]}`, "bad"));
  return box;
}

for (const viewer of document.querySelectorAll(".viewer")) {
  const lines = runs[Number(viewer.dataset.run)].lines.map((line) => ({ line, end: endOf(line), text: JSON.stringify(line).toLowerCase() }));
  const [search, list, detail, count] = ["input", ".list", ".detail", ".count"].map((it) => viewer.querySelector(it));
  const selects = [...viewer.querySelectorAll("select")];
  const valueOf = (it, by) => by === "end" ? it.end : it.line[by];
  for (const select of selects) {
    const values = [...new Set(lines.map((it) => valueOf(it, select.dataset.by)))];
    select.append(new Option(`any ${select.getAttribute("aria-label")}`, ""), ...values.map((it) => new Option(it, it)));
  }
  const open = (it, button) => {
    list.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    button.setAttribute("aria-current", "true");
    detail.replaceChildren(shown(it.line));
  };
  const fill = () => {
    const wanted = search.value.toLowerCase();
    const found = lines.filter((it) => it.text.includes(wanted) && selects.every((select) => !select.value || valueOf(it, select.dataset.by) === select.value));
    count.textContent = found.length > SHOWN ? `${found.length} attempts, the first ${SHOWN} listed` : `${found.length} attempts`;
    list.replaceChildren(...found.slice(0, SHOWN).map((it) => {
      const item = element("li"), button = element("button");
      button.append(element("span", it.end === "solved" ? "✓ " : "✗ ", it.end === "solved" ? "good" : "bad"), it.line.task, element("small", `${it.line.arm} · ${it.line.category} · ${it.end}`));
      button.addEventListener("click", () => open(it, button));
      item.append(button);
      return item;
    }));
    const first = list.querySelector("button");
    if (first) first.click(); else detail.replaceChildren(element("p", "No attempt fits.", "note"));
  };
  [search, ...selects].forEach((it) => it.addEventListener("input", fill));
  fill();
}
