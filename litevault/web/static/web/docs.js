// What Swagger UI leaves out: it does not choose its dark colours by itself, and some of its fields have no names.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const chooseColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", chooseColours);
chooseColours();

const NAMES = { "examples-select-element": "Example", "content-type": "Media type" };
const name = (field) => {
  const parameter = field.closest("tr[data-param-name]")?.dataset.paramName;
  return parameter ?? [...field.classList].map((each) => NAMES[each]).find(Boolean) ?? "Request body";
};
const mend = () => {
  for (const field of document.querySelectorAll("select, input, textarea")) {
    if (!field.labels?.length && !field.ariaLabel) field.ariaLabel = name(field);
  }
  set(".information-container", { role: "region", "aria-label": "Description" });
  set(".modal-ux", { role: "dialog", "aria-label": "Available authorizations" });
  set(".modal-ux h6", { "aria-level": "5" });
  set(".close-modal", { "aria-label": "Close" });
};
const set = (selector, attributes) => {
  const element = document.querySelector(selector);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (element && !element.hasAttribute(attribute)) element.setAttribute(attribute, value);
  }
};
new MutationObserver(mend).observe(document, { childList: true, subtree: true });
