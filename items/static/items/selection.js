"use strict";
// Select the rows of a page, count them, and act on them together. Without this script the buttons are always enabled.
{
  const POSITION = "litevault.position"; // of web/keyboard.js

  const idOf = (row) => row.dataset.row;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const box = (row) => row.querySelector("input[type=checkbox][form]");
  const isSelected = (row) => Boolean(box(row)?.checked);

  const attach = (bar) => {
    const count = bar.querySelector("[data-selection]");
    const all = Object.assign(document.createElement("input"), { type: "checkbox" });
    all.dataset.key = "X";
    all.dataset.keyLabel = "Select all rows of this page, or none";
    const words = document.createElement("span");
    words.setAttribute("role", "status");
    const label = document.createElement("label");
    label.className = "check";
    label.append(all, "Select all");
    count.replaceWith(label, words);

    const describe = () => {
      const selected = rows().filter(isSelected).length;
      words.textContent = selected ? `${selected} selected` : "";
      all.checked = selected > 0 && selected === rows().filter(box).length;
      all.indeterminate = selected > 0 && !all.checked;
      for (const button of bar.querySelectorAll("button")) button.disabled = !selected;
      bar.classList.toggle("active", selected > 0);
    };

    all.addEventListener("change", () => {
      for (const row of rows()) if (box(row)) box(row).checked = all.checked;
      describe();
    });
    document.addEventListener("change", describe);
    // After "Back", the browser restores what was selected.
    addEventListener("pageshow", describe);
    // Rows come and go while the list is shown.
    const list = document.querySelector("ul.items");
    new MutationObserver(describe).observe(list, { childList: true });
    describe();
  };

  // After the action, the focus is on the next row that was not selected.
  const remember = (wanted) =>
    sessionStorage.setItem(POSITION, JSON.stringify({ path: location.pathname, wanted }));

  addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (event.target.id === "selected") {
      const others = rows();
      const last = others.findLastIndex(isSelected);
      const wanted = [...others.slice(last + 1), ...others.slice(0, last + 1).reverse()];
      remember(wanted.filter((row) => !isSelected(row)).map(idOf));
    } else if (event.target.closest("[data-messages]")) {
      remember([...event.target.querySelectorAll("[name=items]")].map((field) => field.value));
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    const bar = document.getElementById("selected");
    if (bar) attach(bar);
  });
}
