"use strict";
// The packed tables (packing.py) as lists of rows, each joined with its run.
const data = JSON.parse(document.getElementById("data").textContent);

function column(packed) {
  if (Array.isArray(packed)) return packed;
  if (packed.of) return column(packed.at).map((place) => packed.of[place]);
  const values = [];
  for (let n = 0; n < packed.runs.length; n += 2) {
    for (let left = packed.runs[n + 1]; left > 0; left -= 1) values.push(packed.runs[n]);
  }
  return values;
}

function unpack({ length, columns }) {
  const fields = Object.keys(columns);
  const values = fields.map((field) => column(columns[field]));
  return Array.from({ length }, (_, n) => {
    const row = {};
    fields.forEach((field, at) => { row[field] = values[at][n]; });
    return row;
  });
}

const runs = unpack(data.tables.runs);
const unpacked = {};

function rowsOf(name) {
  unpacked[name] ??= unpack(data.tables[name]).map((row) => Object.assign(row, runs[row.run]));
  return unpacked[name];
}

function distinct(rows, field) {
  const values = [...new Set(rows.map((row) => row[field]).filter((value) => value !== undefined && value !== null))];
  return field === "run" ? values.sort((a, b) => b - a) : values; // the newest first
}

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function say(text) { document.getElementById("said").textContent = text; }

function shown(value) {
  if (value === null || value === undefined) return "-";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

// A column of numbers, of short texts, which stay on one line, or of long ones.
function kindOf(rows, field) {
  if (rows.some((row) => typeof row[field] === "number")) return "number";
  return rows.some((row) => shown(row[field]).length > 24) ? "long" : "short";
}

function fillTable(table, columns, rows) {
  const titles = Object.entries(columns);
  const kinds = titles.map(([field]) => kindOf(rows, field));
  const head = element("tr", null);
  titles.forEach(([, title], at) => head.append(element("th", title, { scope: "col", class: kinds[at] })));
  const body = element("tbody", null);
  for (const row of rows) {
    const line = element("tr", null);
    titles.forEach(([field], at) => line.append(element("td", shown(row[field]), { class: kinds[at] })));
    body.append(line);
  }
  if (!rows.length) body.insertRow().append(element("td", "none", { colspan: titles.length }));
  const top = element("thead", null);
  top.append(head);
  table.replaceChildren(top, body);
}
