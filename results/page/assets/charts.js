"use strict";
// One picture: drawn from rows, and walked through by keyboard.

async function draw(figure, rows) {
  const chart = figure.querySelector(".chart");
  const spec = { ...structuredClone(data.specs[figure.dataset.chart]), data: { values: rows } };
  const all = rowsOf(figure.closest("section").dataset.rows);
  for (const { encoding: { color, shape, strokeDash } } of spec.layer) {
    for (const channel of [color, shape, strokeDash]) {
      nameAll(channel, all);
      keepShown(channel, rows);
    }
  }
  const lines = spec.usermeta;
  if (lines) {
    const filled = rows.filter((row) => !lines.needs || row[lines.needs] !== null);
    spec.height = lines.height * Math.max(1, distinct(filled, lines.of).length);
    figure.hidden = !filled.length;
    if (figure.hidden) return;
  }
  if (spec.width.step) spec.width = { step: stepIn(chart.clientWidth, spec, rows) };
  figure.result?.finalize();
  const options = { actions: false, renderer: "svg", config: data.config, logLevel: 1 }; // errors: an empty layer is no fault
  figure.result = await vegaEmbed(chart, spec, options);
}

// A column of cells is up to twice as wide as it must be, where there is room.
function stepIn(width, { width: { step }, layer }, rows) {
  const columns = distinct(rows, layer[0].encoding.x.field).length;
  return Math.max(step, Math.min(2 * step, (width - 150) / columns)); // pixels; 150 for the labels
}

// Names that a scale leaves open are those of all rows, so that one looks the same in every picture.
function nameAll({ field, scale } = {}, rows) {
  if (scale?.domain?.length !== 0) return;
  scale.domain = distinct(rows, field);
  scale.range = scale.domain.map((_, at) => scale.range[at % scale.range.length]);
}

// A legend names what there is: of a colour scale with names of its own, those that the rows have.
function keepShown({ field, scale } = {}, rows) {
  const shown = new Set(rows.map((row) => row[field]));
  if (!scale?.range || !scale.domain.some((name) => shown.has(name))) return;
  scale.range = scale.range.filter((_, at) => shown.has(scale.domain[at]));
  scale.domain = scale.domain.filter((name) => shown.has(name));
}

// The arrow keys go from mark to mark and show its tooltip, as the mouse does.
function walkable(chart) {
  let at = -1;
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const marks = [...chart.querySelectorAll("[role='graphics-symbol'][aria-label]")];
    if (!step || !marks.length) return;
    event.preventDefault();
    for (let tried = 0; tried < marks.length; tried += 1) { // a line across, for one, has nothing to tell
      at = (at + step + marks.length) % marks.length;
      if (point(marks[at])) return;
    }
  });
  chart.addEventListener("blur", () => document.getElementById("vg-tooltip-element")?.classList.remove("visible"));
}

function point(mark) {
  const box = mark.getBoundingClientRect();
  const place = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true };
  for (const name of ["mouseover", "pointerover", "mousemove", "pointermove"]) mark.dispatchEvent(new MouseEvent(name, place));
  const tooltip = document.getElementById("vg-tooltip-element");
  if (!tooltip?.classList.contains("visible")) return false;
  say(tooltip.innerText);
  return true;
}
