"use strict";
// Open the preview of an item below its row. Without this script, the link leads to a page.
{
  const FETCH_MS = 30_000;

  const columns = (row) => [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0);

  const open = async (link) => {
    const row = link.closest("tr");
    const preview = document.createElement("tr");
    preview.className = "item-preview-row";
    preview.id = `preview-${new URL(link.href).pathname.split("/").at(-3)}`;
    const cell = preview.insertCell();
    cell.colSpan = columns(row);
    cell.textContent = "Loading…";
    cell.setAttribute("aria-live", "polite");
    row.after(preview);
    link.setAttribute("aria-expanded", "true");
    link.setAttribute("aria-controls", preview.id);
    const address = new URL(link.href);
    address.searchParams.set("part", "");
    try {
      const response = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(FETCH_MS) });
      if (!response.ok) throw new Error(String(response.status));
      cell.innerHTML = await response.text();
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
    for (const link of document.querySelectorAll("a.item-row-action-preview")) {
      link.setAttribute("role", "button");
      link.setAttribute("aria-expanded", "false");
      const toggle = (event) => {
        // Let the browser open a new tab.
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
