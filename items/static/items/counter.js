"use strict";
// Show beside a field with a limit how long its text is, as the server counts: by code points, and a line break as one.
// Nothing is cut: the server refuses a text that is too long, and shows it again. Without this script it does, too.
{
  const attach = (field) => {
    const limit = Number(field.dataset.limit);
    const counter = document.createElement("div");
    counter.id = `${field.name}-counter`;
    const describe = () => {
      const text = field.name === "rawText" ? field.value : field.value.trim();
      const length = [...text].length;
      counter.textContent = `${length.toLocaleString("en")} of ${limit.toLocaleString("en")} characters`;
      counter.className = `counter ${length > limit ? "error" : "quiet"}`;
    };
    (field.closest("label") ?? field).after(counter);
    field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${counter.id}`.trim());
    field.addEventListener("input", describe);
    // After "Back", the browser restores what was typed.
    addEventListener("pageshow", describe);
    describe();
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const field of document.querySelectorAll("[data-limit]")) attach(field);
  });
}
