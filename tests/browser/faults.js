"use strict";
// What is wrong with how a page is laid out, as sentences. Works on what is seen: not on what is folded or hidden.
{
  const TOLERANCE = 2; // pixels that rounding and the slope of letters may take

  const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  const name = (element) => {
    const text = (element.innerText || element.value || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.localName}${element.className ? ` class="${element.className}"` : ""}> “${text}”`;
  };

  // The part of a rectangle that its scrolling or clipping ancestors let through; null when that is none of it.
  const seenPart = (rectangle, element) => {
    let { left, top, right, bottom } = rectangle;
    for (let above = element; above; above = above.parentElement) {
      const style = getComputedStyle(above);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const frame = above.getBoundingClientRect();
      if (above === document.body || above === document.documentElement) continue;
      [left, top] = [Math.max(left, frame.left), Math.max(top, frame.top)];
      [right, bottom] = [Math.min(right, frame.right), Math.min(bottom, frame.bottom)];
    }
    return right - left > TOLERANCE && bottom - top > TOLERANCE ? { left, top, right, bottom } : null;
  };

  const texts = () => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || !isSeen(element) || /^(script|style|option)$/.test(element.localName)) continue;
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      for (const rectangle of range.getClientRects()) {
        const seen = seenPart(rectangle, element);
        if (seen) found.push({ ...seen, element });
      }
    }
    return found;
  };

  const controls = () =>
    [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
      .filter(isSeen)
      .flatMap((element) => [...element.getClientRects()].map((rectangle) => ({ rectangle, element })))
      .flatMap(({ rectangle, element }) => {
        const seen = seenPart(rectangle, element.parentElement);
        return seen ? [{ ...seen, element }] : [];
      });

  const overlap = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > TOLERANCE &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > TOLERANCE;

  // An open menu covers what is below it.
  const layer = (element) => element.closest(".menu[open] > :not(summary)");

  const overlaps = (boxes) => {
    const faults = [];
    boxes.forEach((one, index) => {
      for (const other of boxes.slice(index + 1)) {
        if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
        if (layer(one.element) !== layer(other.element)) continue;
        if (overlap(one, other)) faults.push(`${name(one.element)} and ${name(other.element)} overlap`);
      }
    });
    return faults;
  };

  const clipped = () =>
    [...document.body.querySelectorAll("*")]
      .filter((element) => isSeen(element) && element.innerText?.trim() && element.clientWidth > TOLERANCE)
      .filter((element) => {
        const style = getComputedStyle(element);
        const isCut = (overflow) => overflow === "hidden" || overflow === "clip";
        return (
          (isCut(style.overflowX) && element.scrollWidth > element.clientWidth + TOLERANCE) ||
          (isCut(style.overflowY) && element.scrollHeight > element.clientHeight + TOLERANCE)
        );
      })
      .map((element) => `${name(element)} is cut off`);

  const scrolled = () =>
    [...document.body.querySelectorAll("*")]
      .filter((element) => isSeen(element) && element.scrollWidth > element.clientWidth + TOLERANCE)
      .filter((element) => /^(auto|scroll)$/.test(getComputedStyle(element).overflowX))
      .filter((element) => !/^(input|textarea|select)$/.test(element.localName))
      .map((element) => `${name(element)} scrolls sideways`);

  const width = document.documentElement.clientWidth;
  const seen = texts();
  return [
    ...(document.documentElement.scrollWidth > width
      ? [`the page is ${document.documentElement.scrollWidth} pixels wide, and the window ${width}`]
      : []),
    ...seen
      .filter((text) => text.right > width + TOLERANCE || text.left < -TOLERANCE)
      .map((text) => `${name(text.element)} stands outside of the window`),
    ...overlaps(seen),
    ...overlaps(controls()),
    ...clipped(),
    ...scrolled(),
  ];
}
