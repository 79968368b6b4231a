"use strict";
// Draws anew what changes, as it changes. Without this script, or where no events are offered, a reload does.
{
  const { live, address, events } = document.currentScript.dataset;
  const PAUSE_MS = 1000;
  const FIRST_RETRY_MS = 5_000;
  const LAST_RETRY_MS = 300_000;
  let isAsked = false;
  let isBusy = false;

  // Every rendering has other CSRF tokens, which change nothing that anybody sees, and none has what was opened here.
  const look = (element) =>
    element.outerHTML
      .replace(/(name="csrfmiddlewaretoken" value=")[^"]*/g, "$1")
      .replace(/(<details[^>]*?) open=""/g, "$1");

  const isInUse = (element) => element.contains(document.activeElement) || element.querySelector("details[open]");

  // Keep the children that look the same, and with them what is typed there. False when one that has to go is in use.
  const redraw = (old, fresh) => {
    const kept = new Map([...old.children].map((child) => [look(child), child]));
    const next = [...fresh.children].map((child) => kept.get(look(child)) ?? child);
    if ([...old.children].some((child) => !next.includes(child) && isInUse(child))) return false;
    for (const child of [...old.children]) if (!next.includes(child)) child.remove();
    // What stays is not moved, or it would lose the focus.
    let at = old.firstElementChild;
    for (const child of next) {
      if (child === at) at = at.nextElementSibling;
      else old.insertBefore(child, at);
    }
    return true;
  };

  const refresh = async () => {
    const answer = await fetch(location.href, { redirect: "error", headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll(live)) {
      const fresh = page.querySelector(live.split(", ").find((selector) => old.matches(selector)));
      if (fresh && !redraw(old, fresh)) document.addEventListener("focusout", ask, { once: true });
    }
  };

  // One at a time, with pauses, and only while somebody looks.
  const work = async () => {
    if (isBusy || !isAsked || document.hidden) return;
    isBusy = true;
    isAsked = false;
    try {
      await refresh();
    } catch {
      // The next event asks again.
    }
    setTimeout(() => {
      isBusy = false;
      work();
    }, PAUSE_MS);
  };

  const ask = () => {
    isAsked = true;
    work();
  };

  document.addEventListener("visibilitychange", work);

  // An EventSource comes back by itself when its connection is lost, but gives up for good when a proxy answers that
  // nobody is there. So then, seldom, a new one is tried. Whatever is missed meanwhile is seen when one opens.
  const listen = (retryMs) => {
    const source = new EventSource(address, { withCredentials: true });
    let nextMs = retryMs;
    for (const name of ["open", ...events.split(" ")]) source.addEventListener(name, ask);
    source.addEventListener("open", () => (nextMs = FIRST_RETRY_MS));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, nextMs, Math.min(2 * nextMs, LAST_RETRY_MS));
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  };

  listen(FIRST_RETRY_MS);
}
