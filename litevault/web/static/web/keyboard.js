"use strict";
// Keyboard shortcuts, declared by the page:
//   data-row          a row of a list, with its id as the value. j and k move between rows.
//   data-open         the main link of a row, for Enter. Without it, the first link.
//   data-key="c"      a button, link or field: the key clicks or focuses it. In a row it needs the focus in that row.
//                     Two keys in succession are "g p". The help shows data-key-label, or the text of the button.
//   data-submit-key   a form that Ctrl+Enter submits, by its first button.
//   data-start        the element that has the focus after an action, on a page without rows.
//   data-messages     what came of an action, for the live region.
// Without this script, the page has the same buttons and links.
{
  const MOVES = { j: 1, k: -1 };
  const SEQUENCE_MS = 1500;
  const BUSY_MS = 10_000;
  const SWITCH = "litevault.shortcuts";
  const POSITION = "litevault.position";
  const SEARCH = "[role=search] input:not([type=hidden], [type=submit]), input[type=search]";
  const TYPING =
    "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])";

  const status = document.createElement("div");
  let prefix = "";
  let prefixTimer = 0;
  let lastIndex = 0;
  let isBusy = false;
  let dialog = null;

  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());
  const rowOf = (element) => element?.closest?.("[data-row]") ?? null;
  const checkboxOf = (row) => row?.querySelector("input[type=checkbox]");
  const idOf = (row) => row.dataset.row || checkboxOf(row)?.value;
  const isOn = () => localStorage.getItem(SWITCH) !== "off";

  const announce = (text) => {
    status.textContent = text;
  };

  // --- the current row ---

  const setCurrent = (row) => {
    for (const other of document.querySelectorAll("[data-row][aria-current]")) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    lastIndex = rows().indexOf(row);
  };

  const focusRow = (row) => {
    row.tabIndex = -1;
    row.focus();
  };

  const leave = (field) => {
    const row = document.querySelector("[data-row][aria-current]");
    if (row) focusRow(row);
    else field.blur();
  };

  const move = (step) => {
    const all = rows();
    const current = all.findIndex((row) => row.hasAttribute("aria-current"));
    // If the current row is gone, another one has its place.
    const wanted = current >= 0 ? current + step : step > 0 ? lastIndex : lastIndex - 1;
    if (all.length) focusRow(all[Math.max(0, Math.min(wanted, all.length - 1))]);
  };

  // An action loads the page anew. Remember which rows may have the focus then: the next ones first.
  const remember = (row, { isDone }) => {
    const ids = rows().map(idOf);
    const at = ids.indexOf(idOf(row));
    const [before, own, after] = [ids.slice(0, at).reverse(), [ids[at]], ids.slice(at + 1)];
    const wanted = isDone ? [...after, ...own, ...before] : [...own, ...after, ...before];
    sessionStorage.setItem(POSITION, JSON.stringify({ path: location.pathname, wanted }));
  };

  const restore = () => {
    const { path, wanted, isStart } = JSON.parse(sessionStorage.getItem(POSITION) ?? "{}");
    const start = document.querySelector("[data-start]");
    if (isStart && start) start.focus();
    if (isStart) sessionStorage.removeItem(POSITION);
    if (path !== location.pathname) return;
    sessionStorage.removeItem(POSITION);
    const all = rows();
    const next = wanted.map((id) => all.find((row) => idOf(row) === id)).find(Boolean) ?? all[0];
    if (next) focusRow(next);
  };

  // --- what a key does ---

  const controls = () => [...document.querySelectorAll("[data-key]")].filter((control) => control.checkVisibility());

  const controlFor = (key) => {
    const row = rowOf(document.activeElement);
    const found = controls().filter((control) => control.dataset.key === key && !control.disabled);
    return (
      (row && (found.find((control) => row.contains(control)) ?? (key === "x" ? checkboxOf(row) : null))) ??
      found.find((control) => !rowOf(control)) ??
      (key === "/" ? document.querySelector(SEARCH) : null)
    );
  };

  const use = (control) => {
    if (control.matches(TYPING)) {
      control.focus();
      control.select?.();
    } else {
      // A summary or a checkbox is clicked while a request is under way, too: it sends nothing.
      if (isBusy && control.matches("a, button, input[type=submit]")) return;
      control.click();
    }
  };

  const open = (row) => {
    remember(row, { isDone: false });
    (row.querySelector("[data-open]") ?? row.querySelector("a[href]"))?.click();
  };

  const setPrefix = (keys) => {
    prefix = keys;
    clearTimeout(prefixTimer);
    if (keys) prefixTimer = setTimeout(setPrefix, SEQUENCE_MS, "");
  };

  const submit = (event) => {
    const form = event.target.form;
    if (!form?.matches("[data-submit-key]") || event.repeat) return;
    event.preventDefault();
    form.requestSubmit([...form.elements].find((element) => element.matches("button:not([type=button]), [type=submit]")));
  };

  // Return whether the key did something.
  const press = (key, event) => {
    if (!prefix && key in MOVES && rows().length) {
      move(MOVES[key]);
      return true;
    }
    // A key that is held down acts once.
    if (event.repeat) return false;
    if (key === "?") {
      showHelp();
      return true;
    }
    if (key === "Enter") {
      if (!event.target.matches("[data-row]")) return false;
      open(event.target);
      return true;
    }
    const keys = prefix ? `${prefix} ${key}` : key;
    setPrefix(controls().some((control) => control.dataset.key.startsWith(`${keys} `)) ? keys : "");
    if (prefix) return true;
    const control = controlFor(keys);
    if (control) use(control);
    return Boolean(control);
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || !(event.target instanceof Element)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
    if (event.ctrlKey || event.metaKey || event.altKey || !isOn() || document.querySelector("dialog[open]")) return;
    if (event.target.matches(TYPING)) {
      // Leave the field, so that the keys act again.
      if (event.key === "Escape") leave(event.target);
      return;
    }
    // With caps lock, a letter is a capital without Shift.
    const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
    if (press(key, event)) event.preventDefault();
  });

  // --- requests ---

  document.addEventListener("focusin", (event) => {
    const row = rowOf(event.target);
    if (row) setCurrent(row);
  });

  // By mouse, too. The other listeners come first, and may send the form by themselves.
  addEventListener("submit", (event) => {
    if (event.defaultPrevented || (event.submitter?.formMethod || event.target.method) !== "post") return;
    if (isBusy) {
      event.preventDefault();
      return;
    }
    isBusy = true;
    setTimeout(() => (isBusy = false), BUSY_MS);
    const row = rowOf(event.submitter) ?? rowOf(event.target);
    if (row) remember(row, { isDone: true });
    else if (document.querySelector("[data-start]")) sessionStorage.setItem(POSITION, JSON.stringify({ isStart: true }));
  });

  // A link with a key in a row leads to a question, and from there back to the list.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-key]");
    if (link && rowOf(link) && !event.defaultPrevented) remember(rowOf(link), { isDone: true });
  });

  addEventListener("pageshow", () => (isBusy = false));

  // --- the help ---

  const shortcuts = () => {
    const found = new Map();
    const add = (key, label) => found.has(key) || found.set(key, label);
    const [row] = rows();
    if (row) {
      add("j", "Next row");
      add("k", "Previous row");
      if (row.querySelector("[data-open], a[href]")) add("Enter", "Open the row");
      if (checkboxOf(row)) add("x", "Select the row");
    }
    for (const control of controls()) {
      add(control.dataset.key, control.dataset.keyLabel ?? control.textContent.trim().replace(/…$/, ""));
    }
    if (document.querySelector(SEARCH)) add("/", "Search");
    if (document.querySelector("form[data-submit-key]")) add("Ctrl+Enter", "Submit the form, while typing in it");
    add("Escape", "Leave a field");
    add("?", "Show this help");
    return found;
  };

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const showHelp = () => {
    dialog?.remove();
    const table = element("table", { className: "shortcuts-table" });
    for (const [keys, label] of shortcuts()) {
      const names = keys.split(" ").flatMap((key) => [" ", element("kbd", { textContent: key })]);
      table.append(element("tr", {}, element("th", { scope: "row" }, ...names.slice(1)), element("td", { textContent: label })));
    }
    const single = element("input", { type: "checkbox", checked: isOn() });
    single.addEventListener("change", () => localStorage.setItem(SWITCH, single.checked ? "on" : "off"));
    const heading = element("h2", { id: "shortcuts-heading", textContent: "Keyboard shortcuts" });
    const close = element("button", { type: "submit", className: "button", textContent: "Close" });
    dialog = element(
      "dialog",
      { className: "shortcuts" },
      heading,
      table,
      element("label", {}, single, " Single keys are shortcuts"),
      element("form", { method: "dialog" }, close),
    );
    dialog.setAttribute("aria-labelledby", heading.id);
    document.body.append(dialog);
    // The browser returns the focus to where it was.
    dialog.showModal();
  };

  const addHelpButton = () => {
    const button = element("button", { type: "button", className: "shortcuts-button", textContent: "Keyboard shortcuts" });
    button.addEventListener("click", showHelp);
    (document.querySelector("footer") ?? document.querySelector("main") ?? document.body).append(button);
  };

  document.addEventListener("DOMContentLoaded", () => {
    status.setAttribute("role", "status");
    status.className = "shortcuts-status";
    document.body.append(status);
    addHelpButton();
    restore();
    // A live region announces what is written into it later.
    const messages = [...document.querySelectorAll("[data-messages], .messagelist")].map((list) => list.innerText.trim());
    if (messages.length) setTimeout(announce, 200, messages.join(" "));
  });
}
