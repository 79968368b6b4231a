"use strict";
// Replace a part of the page with what its link leads to, which takes longer to read than the rest of the page. Without
// this script, or if that fails, the link is there.
{
  const FETCH_MS = 30_000;

  const fill = async (link) => {
    link.removeAttribute("data-fill"); // once
    const signal = AbortSignal.timeout(FETCH_MS);
    const response = await fetch(link.href, { redirect: "error", headers: { Accept: "text/html" }, signal });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector(".item-dashboard");
    if (fresh) document.querySelector(".item-dashboard").replaceWith(fresh);
  };

  const fillAll = () => {
    for (const link of document.querySelectorAll("[data-fill]")) fill(link).catch(() => {});
  };

  // A live update that was requested before may bring the link back.
  new MutationObserver(fillAll).observe(document.body, { childList: true, subtree: true });
  fillAll();
}
