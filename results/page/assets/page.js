"use strict";
// A view: its choosers pick rows, which its pictures and tables show.
const TOLD = { verdicts: (row) => data.told[row.folder] };

class View {
  constructor(section) {
    this.section = section;
    this.rows = rowsOf(section.dataset.rows);
    this.selects = [...section.querySelectorAll("select")];
    this.figures = [...section.querySelectorAll("figure")];
    this.details = [...section.querySelectorAll("details")];
    for (const select of this.selects) select.addEventListener("change", () => this.show());
    for (const detail of this.details) detail.addEventListener("toggle", () => this.fill(detail));
    for (const figure of this.figures) walkable(figure.querySelector(".chart"));
  }

  // Each chooser offers what the choosers before it have left; a choice that is gone becomes the first.
  choose() {
    let rows = this.rows;
    const without = {};
    for (const select of this.selects) {
      const field = select.dataset.field;
      const values = distinct(rows, field);
      const options = "all" in select.dataset ? [null, ...values] : values;
      const before = select.options.length ? select.value : select.dataset.first;
      select.replaceChildren(...options.map((value) => element("option", this.label(field, value), {
        value: value === null ? "" : JSON.stringify(value) })));
      if ([...select.options].some((option) => option.value === before)) select.value = before;
      for (const other of Object.keys(without)) without[other] = matching(without[other], select);
      without[field] = rows;
      rows = matching(rows, select);
    }
    return { rows, without };
  }

  label(field, value) {
    if (value === null) return "all";
    return field === "run" ? runs[value].label : String(value);
  }

  async show() {
    const began = performance.now();
    const { rows, without } = this.choose();
    this.chosen = rows;
    for (const figure of this.figures) await draw(figure, without[figure.dataset.ignores] ?? rows);
    for (const detail of this.details) this.fill(detail);
    this.tell(rows);
    this.section.dataset.drawn = Math.round(performance.now() - began);
  }

  fill(detail) {
    if (!detail.open || !this.chosen) return;
    const [, field, sign, value] = /^(\w*)([=!]?)(.*)$/.exec(detail.dataset.where);
    const rows = this.chosen.filter((row) => !sign || (row[field] === value) === (sign === "="));
    fillTable(detail.querySelector("table"), JSON.parse(detail.dataset.columns), rows);
  }

  tell(rows) {
    const more = this.section.querySelector(".more");
    more.replaceChildren();
    if (!rows.length) return;
    for (const line of TOLD[this.section.id]?.(rows[0]) ?? []) more.append(element("p", line));
    if (["run", "requests"].includes(this.section.id)) tellRun(more, rows);
  }
}

function matching(rows, select) {
  const field = select.dataset.field;
  if (select.value === "") return rows;
  const value = JSON.parse(select.value);
  return rows.filter((row) => row[field] === value || (row[field] === undefined && "all" in select.dataset));
}

function tellRun(more, rows) {
  const task = rowsOf("tasks").find((row) => row.run === rows[0].run && row.workload === rows[0].workload);
  const reasons = new Map();
  for (const row of rows.filter((row) => row.fallback)) {
    reasons.set(row.fallback, [...(reasons.get(row.fallback) ?? []), row.name]);
  }
  for (const [reason, names] of reasons) more.append(element("p", `${names.join(", ")} fell back: ${reason}`));
  if (rows[0].untimed) more.append(element("p", `Not timed: ${rows[0].untimed}`));
  if (task.sentence) more.append(element("p", task.sentence));
  if (task.code) {
    const copy = element("button", "Copy these lines", { type: "button" });
    const code = element("pre", task.code, { tabindex: "0" });
    copy.addEventListener("click", () => copyText(task.code, code, copy));
    more.append(code, copy);
  }
  const list = element("dl", null);
  for (const [name, value] of Object.entries(JSON.parse(task.identity))) {
    list.append(element("dt", name), element("dd", value));
  }
  const identity = element("details", null);
  identity.append(element("summary", "Identity: the work, the machine and the software"), list);
  more.append(identity);
}

async function copyText(text, code, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no clipboard for pages from disk, in some browsers
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  say("Copied");
}

async function begin() {
  for (const section of document.querySelectorAll("section[data-rows]")) {
    if (section.querySelector("select")) await new View(section).show();
  }
  document.body.dataset.ready = "yes";
}
begin();
