"use strict";
// Show times in the zone of the browser. Without this script they are shown in UTC.
{
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (number) => String(number).padStart(2, "0");

  const localise = (time) => {
    const at = new Date(time.dateTime);
    const text = `${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}, ${two(at.getHours())}:${two(at.getMinutes())}`;
    // A change of the text is observed, too.
    if (!Number.isNaN(at.getTime()) && time.textContent !== text) time.textContent = text;
  };

  const localiseAll = () => {
    for (const time of document.querySelectorAll("time[datetime]")) localise(time);
  };

  document.addEventListener("DOMContentLoaded", () => {
    localiseAll();
    // Lists are updated while they are shown.
    new MutationObserver(localiseAll).observe(document.body, { childList: true, subtree: true });
  });
}
