// What the pages do by themselves. All of them also work without it, except what is live.
"use strict";

// The clock goes on, at the speed of the database's.
for (const shown of document.querySelectorAll("[data-clock]")) {
  const speed = Number(shown.dataset.speed);
  if (!(speed > 0)) continue;
  const from = Number(shown.dataset.clock);
  const began = performance.now();
  setInterval(() => {
    const now = new Date(from + (performance.now() - began) * speed);
    if (!Number.isNaN(now.getTime())) shown.textContent = now.toISOString().replace("T", " ");
  }, 250);
}

// A click on the head of a column sorts by it. The order stays when a part of the page is replaced.
const orders = new Map();
function makeSortable() {
  document.querySelectorAll("table.sortable").forEach((table, number) => {
    const heads = [...table.querySelectorAll("thead th")];
    if (heads.some((head) => head.querySelector("button.sort"))) return;
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isAscending = head.getAttribute("aria-sort") !== "ascending";
        orders.set(number, { column, isAscending });
        sort(table, heads, column, isAscending);
      });
    });
    const order = orders.get(number);
    if (order) sort(table, heads, order.column, order.isAscending);
  });
}

function sort(table, heads, column, isAscending) {
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", isAscending ? "ascending" : "descending");
  const key = (row) => row.children[column].dataset.value ?? row.children[column].textContent.trim();
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const rows = [...table.tBodies[0].rows].sort((a, b) => compare(key(a), key(b)));
  table.tBodies[0].append(...(isAscending ? rows : rows.reverse()));
}

makeSortable();
document.addEventListener("replaced", makeSortable);

// Copies the text of an element: <button data-copy="#id">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy)?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    button.dataset.said ??= button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = button.dataset.said; }, 1200);
  } catch {
    getSelection().selectAllChildren(document.querySelector(button.dataset.copy));
  }
});
