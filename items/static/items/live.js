"use strict";
// Update parts of the page when an event arrives. Without this script or without events, reload the page instead.
{
  const { live, address, events } = document.currentScript.dataset;
  const PAUSE_MS = 1000;
  const FETCH_MS = 30_000;
  const FIRST_RETRY_MS = 5_000;
  const LAST_RETRY_MS = 300_000;
  let isRequested = false;
  let isBusy = false;
  let retryMs = FIRST_RETRY_MS;
  let retry;

  // Ignore what differs without a visible change: CSRF tokens, open details, local times, and which row is
  // current on this page.
  const visibleHtml = (element) =>
    element.outerHTML
      .replace(/(name="csrfmiddlewaretoken" value=")[^"]*/g, "$1")
      .replace(/(<details[^>]*?) open=""/g, "$1")
      .replace(/(<time [^>]*>)[^<]*/g, "$1")
      .replace(/(<[^>]* data-row[^>]*?)( aria-current="true"| tabindex="-1")+/g, "$1");

  const isInUse = (element) => element.contains(document.activeElement) || element.querySelector("details[open]");

  // Keep unchanged children, with the input in them. Return false if a child that must go is in use.
  const replaceChildren = (old, fresh) => {
    const kept = new Map([...old.children].map((child) => [visibleHtml(child), child]));
    const next = [...fresh.children].map((child) => kept.get(visibleHtml(child)) ?? child);
    if ([...old.children].some((child) => !next.includes(child) && isInUse(child))) return false;
    for (const child of [...old.children]) if (!next.includes(child)) child.remove();
    // Do not move children that stay, because they would lose the focus.
    let at = old.firstElementChild;
    for (const child of next) {
      if (child === at) at = at.nextElementSibling;
      else old.insertBefore(child, at);
    }
    return true;
  };

  const refresh = async () => {
    const signal = AbortSignal.timeout(FETCH_MS);
    const response = await fetch(location.href, { redirect: "error", headers: { Accept: "text/html" }, signal });
    if (response.status === 429 || response.status >= 500) throw new Error("The server is busy or down.");
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const old of document.querySelectorAll(live)) {
      const fresh = page.querySelector(live.split(", ").find((selector) => old.matches(selector)));
      if (fresh && !replaceChildren(old, fresh)) document.addEventListener("focusout", requestRefresh, { once: true });
    }
  };

  // One refresh at a time, with pauses, and only while the page is visible.
  const run = async () => {
    if (isBusy || !isRequested || document.hidden) return;
    isBusy = true;
    isRequested = false;
    clearTimeout(retry);
    try {
      await refresh();
      retryMs = FIRST_RETRY_MS;
    } catch {
      // Try again at the next event, or after a pause that doubles.
      retry = setTimeout(requestRefresh, retryMs);
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    }
    setTimeout(() => {
      isBusy = false;
      run();
    }, PAUSE_MS);
  };

  const requestRefresh = () => {
    isRequested = true;
    run();
  };

  document.addEventListener("visibilitychange", run);

  // An EventSource reconnects after a lost connection, but not after an error response, for example of a proxy. Then
  // open a new one after a pause. Its first event shows what was missed meanwhile.
  const listen = (retryMs) => {
    const source = new EventSource(address, { withCredentials: true });
    let nextMs = retryMs;
    for (const name of ["open", ...events.split(" ")]) source.addEventListener(name, requestRefresh);
    source.addEventListener("open", () => (nextMs = FIRST_RETRY_MS));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, nextMs, Math.min(2 * nextMs, LAST_RETRY_MS));
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  };

  listen(FIRST_RETRY_MS);
}
