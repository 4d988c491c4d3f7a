// Keeps the part of a page that changes by itself up to date, and counts what happens in a second.
"use strict";

{
  const INTERVAL = 2000;
  const shown = document.querySelector("#refreshed");
  const hint = document.querySelector("#live-hint");
  let isPaused = false;
  let last = "";

  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("part", "1");

  const status = document.createElement("span");
  status.setAttribute("role", "status");
  const pause = document.createElement("button");
  pause.type = "button";
  pause.setAttribute("aria-pressed", "false");
  pause.textContent = "Pause";
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    say(isPaused ? "Paused. " : "Live. ");
  });
  hint.replaceChildren(status, pause);

  // Only what is new, because a screen reader reads it out.
  function say(text) {
    if (status.textContent !== text) status.textContent = text;
  }

  // Elements with a total show how much it has grown in a second since the last time: <td data-rate="key" data-total="7">.
  let totals = new Map();
  let counted = performance.now();
  function count() {
    const now = performance.now();
    const seconds = (now - counted) / 1000;
    const next = new Map();
    for (const element of shown.querySelectorAll("[data-rate]")) {
      const total = Number(element.dataset.total);
      next.set(element.dataset.rate, total);
      const before = totals.get(element.dataset.rate);
      // A total that went back belongs to a server that was started again.
      if (before !== undefined && total >= before && seconds > 0) element.textContent = perSecond((total - before) / seconds);
    }
    [totals, counted] = [next, now];
  }

  function perSecond(rate) {
    return `${rate >= 10 || rate === 0 ? Math.round(rate).toLocaleString("en") : rate.toFixed(1)}/s`;
  }

  // The server has escaped everything in it. Scripts in a parsed document do not run, and there are none.
  function replace(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    for (const details of shown.querySelectorAll("details[data-key][open]")) {
      const same = parsed.querySelector(`details[data-key="${CSS.escape(details.dataset.key)}"]`);
      if (same) same.open = true;
    }
    const places = [...shown.querySelectorAll(".recent")].map((list) => list.scrollTop);
    const focused = shown.contains(document.activeElement) ? focusable(shown).indexOf(document.activeElement) : -1;
    shown.replaceChildren(...parsed.body.childNodes);
    document.dispatchEvent(new Event("replaced"));
    shown.querySelectorAll(".recent").forEach((list, n) => { list.scrollTop = places[n] ?? 0; });
    if (focused >= 0) focusable(shown)[focused]?.focus({ preventScroll: true });
  }

  function focusable(element) {
    return [...element.querySelectorAll("a[href], button, summary, [tabindex]")];
  }

  function isSelecting() {
    const selection = getSelection();
    return !selection.isCollapsed && shown.contains(selection.anchorNode);
  }

  async function refresh() {
    if (isPaused || document.hidden || isSelecting()) return;
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (answer.status === 401) {
        say("Signed out: load the page again. ");
        return;
      }
      if (!answer.ok) {
        say(`The server answers ${answer.status}: load the page again. `);
        return;
      }
      const html = await answer.text();
      // Somebody may have begun to use it while the answer was on its way.
      if (isPaused || isSelecting()) return;
      if (html !== last) replace(html);
      last = html;
      count();
      say("Live. ");
    } catch {
      say("The server does not answer. Trying again. ");
    }
  }

  async function run() {
    await refresh();
    setTimeout(run, INTERVAL);
  }

  say("Live. ");
  count();
  setTimeout(run, INTERVAL);
}
