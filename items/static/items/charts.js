"use strict";
// Show the value of the column under the pointer, or of the one chosen with the arrow keys, below a chart. Without this
// script, the table of the page has the values.
{
  const slotsOf = (chart) => [...chart.querySelectorAll("[data-value]")];

  const choose = (chart, slot) => {
    for (const each of slotsOf(chart)) each.classList.toggle("item-chosen", each === slot);
    document.getElementById(chart.dataset.readout).textContent = slot ? slot.dataset.value : "";
  };

  const chartOf = (event) => event.target.closest?.("[data-readout]");

  document.addEventListener("pointerover", ({ target }) => {
    const slot = target.closest?.("[data-value]");
    if (slot) choose(slot.closest("[data-readout]"), slot);
  });
  document.addEventListener("pointerout", (event) => {
    const chart = chartOf(event);
    if (chart && chart !== document.activeElement && !chart.contains(event.relatedTarget)) choose(chart, null);
  });
  document.addEventListener("focusin", (event) => {
    const chart = chartOf(event);
    if (chart) choose(chart, slotsOf(chart).at(-1));
  });
  document.addEventListener("focusout", (event) => {
    const chart = chartOf(event);
    if (chart) choose(chart, null);
  });
  document.addEventListener("keydown", (event) => {
    const chart = chartOf(event);
    if (!chart || event.altKey || event.ctrlKey || event.metaKey) return;
    const slots = slotsOf(chart);
    const at = slots.findIndex((slot) => slot.classList.contains("item-chosen"));
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: slots.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(chart, slots[Math.min(Math.max(next, 0), slots.length - 1)]);
  });
}
