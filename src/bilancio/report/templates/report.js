"use strict";
// Without this script the tables stand in their own order, and all else works.
{
  const numberIn = (text) => parseFloat(text.replace(/^\[/, "").replace("−", "-"));

  const order = (place, numeric, sign) => (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[place].textContent.trim());
    if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1);
    const found = numeric ? numberIn(a) - numberIn(b) : a.localeCompare(b, "en", { numeric: true });
    return sign * (found || 0);
  };

  const sort = (table, head, place) => {
    const falling = head.getAttribute("aria-sort") === "ascending";
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    rows.sort(order(place, head.classList.contains("number"), falling ? -1 : 1));
    table.tBodies[0].append(...rows);
  };

  const prepare = () => {
    for (const table of document.querySelectorAll("table.sortable")) {
      if (table.tBodies[0].rows.length < 2 || table.querySelector("thead button")) continue;
      [...table.tHead.rows[0].cells].forEach((head, place) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => sort(table, head, place));
      });
    }
  };
  prepare();
  document.addEventListener("renewed", prepare); // by the live page

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details")].filter((each) => !each.open);
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
}
