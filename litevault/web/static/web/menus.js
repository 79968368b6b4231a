"use strict";
// The menus of filters: close them on Escape and outside, and count their choices when the first one is opened.
// Without this script, a link shows the counts, and a menu closes when another one is opened.
{
  const FETCH_MS = 30_000;

  const open = () => document.querySelector(".menu[open]");

  // The page with counts is this page: take only the counts from it.
  const count = async (filters) => {
    const signal = AbortSignal.timeout(FETCH_MS);
    const headers = { Accept: "text/html" };
    const response = await fetch(filters.dataset.counts, { redirect: "error", headers, signal });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const counts = [...page.querySelectorAll(".menu .menu-count")];
    [...filters.querySelectorAll(".menu-count")].forEach((place, index) => {
      place.textContent = counts[index]?.textContent ?? "";
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    const filters = document.querySelector(".filters");
    const link = filters?.querySelector("[data-counts-link]");
    if (link && filters.querySelector(".menu-count")) {
      link.hidden = true;
      const countOnce = () => {
        filters.removeEventListener("toggle", countOnce, true);
        count(filters).catch(() => (link.hidden = false));
      };
      filters.addEventListener("toggle", countOnce, true);
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
}
