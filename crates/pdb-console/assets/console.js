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

// A click on the head of a column sorts by it.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const key = (row) => row.children[column].dataset.value ?? row.children[column].textContent.trim();
      const body = table.tBodies[0];
      const order = new Intl.Collator(undefined, { numeric: true }).compare;
      const rows = [...body.rows].sort((a, b) => order(key(a), key(b)));
      body.append(...(ascending ? rows : rows.reverse()));
    });
  });
}

// Copies the text of an element: <button data-copy="#id">.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy)?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    button.dataset.said = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = button.dataset.said; }, 1200);
  } catch {
    getSelection().selectAllChildren(document.querySelector(button.dataset.copy));
  }
});
