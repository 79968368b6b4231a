"use strict";
// Opens the preview of an item below its row. Without this script the same link leads to a page.
{
  const columns = (row) => [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0);

  const open = async (link) => {
    const row = link.closest("tr");
    const below = document.createElement("tr");
    below.className = "item-preview-row";
    below.id = `preview-${new URL(link.href).pathname.split("/").at(-3)}`;
    const cell = below.insertCell();
    cell.colSpan = columns(row);
    cell.textContent = "Loading…";
    cell.setAttribute("aria-live", "polite");
    row.after(below);
    link.setAttribute("aria-expanded", "true");
    link.setAttribute("aria-controls", below.id);
    const address = new URL(link.href);
    address.searchParams.set("part", "");
    try {
      const answer = await fetch(address, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      cell.innerHTML = await answer.text();
    } catch {
      cell.textContent = "The preview could not be loaded. Reload the page and try again.";
    }
  };

  const close = (link) => {
    document.getElementById(link.getAttribute("aria-controls")).remove();
    link.removeAttribute("aria-controls");
    link.setAttribute("aria-expanded", "false");
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const link of document.querySelectorAll("a.item-verb-preview")) {
      link.setAttribute("role", "button");
      link.setAttribute("aria-expanded", "false");
      const toggle = (event) => {
        // A click that asks for a new tab gets one.
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        if (link.getAttribute("aria-expanded") === "true") close(link);
        else open(link);
      };
      link.addEventListener("click", toggle);
      link.addEventListener("keydown", (event) => {
        if (event.key === " ") toggle(event);
      });
    }
  });
}
