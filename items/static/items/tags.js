"use strict";
// Suggest the tags of the user while one is typed: alone, or as the last of several between commas.
{
  const PAUSE_MS = 150;
  const SUGGESTIONS = 10;

  // Return what comes before the last tag, and the tag, which may have an open quotation mark.
  const divide = (line) => {
    let isQuoted = false;
    let start = 0;
    for (let at = 0; at < line.length; at++) {
      if (line[at] === '"') isQuoted = !isQuoted;
      else if (line[at] === "," && !isQuoted) start = at + 1;
    }
    const typed = line.slice(start).trimStart();
    return [line.slice(0, line.length - typed.length), typed.replace(/^"/, "").trim()];
  };

  const quoted = (tag) => (/,|^"/.test(tag) ? `"${tag.replaceAll('"', '""')}"` : tag);

  const attach = (field, number) => {
    const isOne = "tag" in field.dataset;
    const address = field.dataset.tag ?? field.dataset.tags;
    const list = document.createElement("datalist");
    list.id = `tag-suggestions-${number}`;
    field.after(list);
    field.setAttribute("list", list.id);
    let timer = 0;
    let request = null;

    const suggest = async () => {
      request?.abort();
      const [before, typed] = isOne ? ["", field.value.trim()] : divide(field.value);
      if (!typed) return list.replaceChildren();
      request = new AbortController();
      try {
        const query = new URLSearchParams({ q: typed, limit: SUGGESTIONS });
        const headers = { Accept: "application/json" };
        const response = await fetch(`${address}?${query}`, { headers, signal: request.signal });
        if (!response.ok) return;
        const { tags } = await response.json();
        list.replaceChildren(...tags.map(({ name }) => new Option("", isOne ? name : before + quoted(name))));
      } catch {
        // Aborted, or offline: the tag can be typed as before.
      }
    };

    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(suggest, PAUSE_MS);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-tag], [data-tags]").forEach(attach);
  });
}
