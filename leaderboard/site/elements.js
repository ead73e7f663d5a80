"use strict";
// Make elements from text and attributes, never from markup: submitted text stays text.
const zoobench = {};

zoobench.element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

zoobench.drawing = (name, attributes = {}, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// Only web addresses become links.
zoobench.link = (address, text) =>
  /^https?:\/\//.test(address)
    ? zoobench.element("a", { href: address, rel: "noopener noreferrer" }, text)
    : zoobench.element("code", {}, text);

zoobench.percent = (share) => (100 * share).toFixed(1).replace(/^-0\.0$/, "0.0");
