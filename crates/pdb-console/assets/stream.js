// The live view of a stream: rows are added as the server sends them. It draws rows; it decides nothing.
"use strict";

(() => {
  const tail = document.getElementById("tail");
  const rows = document.getElementById("rows");
  if (!tail || !rows) return;

  // What is in the page at most, and what is kept while it is paused.
  const MAX_ROWS = 500;
  // A page that nobody sees gives its connection back: a browser has only six for a server, and a server has sixteen views.
  const HIDDEN_FOR = 60_000;
  const RETRY = 3_000;
  const REFRESH = 2_000;

  const state = document.getElementById("tail-state");
  const problem = document.getElementById("tail-problem");
  const pauseButton = document.getElementById("pause");
  const clearButton = document.getElementById("clear");
  const exportLink = document.getElementById("export");

  // Makes elements of the rows that the server has written. Everything in them was escaped there, and a parsed document runs nothing.
  const elementsOf = (html) => {
    const parsed = new DOMParser().parseFromString(`<table><tbody>${html}</tbody></table>`, "text/html");
    return [...parsed.querySelector("tbody").children].map((row) => document.importNode(row, true));
  };

  let source = null;
  let lastId = "";
  let isPaused = false;
  let connection = "connecting";
  let arrived = 0;
  let skipped = 0;
  let waiting = [];
  let waitingCount = 0;
  let retry = 0;
  let hiddenSince = 0;
  // How many records were left out, and when, within the last second.
  let lately = [];

  const number = (value) => value.toLocaleString("en");
  const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  const show = () => {
    const now = performance.now();
    lately = lately.filter(([at]) => now - at < 1000);
    const rate = lately.reduce((sum, [, count]) => sum + count, 0);
    const parts = [isPaused ? "paused" : connection];
    if (arrived > 0) parts.push(`${number(arrived)} ${arrived === 1 ? "record" : "records"} since this page was loaded`);
    if (rate > 0) parts.push(`${number(rate)} more a second not shown`);
    else if (skipped > 0) parts.push(`${number(skipped)} not shown, because there were too many`);
    if (isPaused && waitingCount > 0) parts.push(`${number(waitingCount)} new meanwhile`);
    say(state, parts.join("; "));
  };

  const warn = (text) => {
    say(problem, text);
    problem.hidden = text === "";
  };

  const updateExport = () => {
    const times = [...rows.querySelectorAll("tr.record")].map((row) => Number(row.dataset.time));
    exportLink.hidden = times.length === 0;
    if (times.length === 0) return;
    const address = new URL(tail.dataset.export, location.href);
    address.searchParams.set("since", Math.min(...times));
    address.searchParams.set("until", Math.max(...times));
    exportLink.href = address.href;
  };

  const trim = () => {
    while (rows.childElementCount > MAX_ROWS) rows.lastElementChild.remove();
  };

  // Adds rows at the top, those of the server's order first. A record that came again after a lost connection is known.
  const add = (elements) => {
    const fresh = elements.filter((row) => {
      const id = row.dataset.event;
      return !id || !rows.querySelector(`tr[data-event="${CSS.escape(id)}"]`);
    });
    if (fresh.length === 0) return;
    document.getElementById("none")?.remove();
    rows.prepend(...fresh);
    trim();
  };

  const noticeRow = (text, stream) => {
    const row = document.createElement("tr");
    row.className = "note";
    const cell = row.insertCell();
    cell.colSpan = 5;
    cell.textContent = text;
    if (stream) {
      const address = new URL(tail.dataset.stream, location.href);
      address.searchParams.set("arn", stream);
      const link = document.createElement("a");
      link.href = address.href;
      link.textContent = "Its page";
      cell.append(" ", link);
    }
    return row;
  };

  const take = (elements) => {
    if (!isPaused) {
      add(elements);
      return;
    }
    waitingCount += elements.length;
    waiting = [...elements, ...waiting].slice(0, MAX_ROWS);
  };

  const onRecords = (event) => {
    const { html, shown, skipped: left } = JSON.parse(event.data);
    lastId = event.lastEventId || lastId;
    arrived += shown + left;
    skipped += left;
    if (left > 0) lately.push([performance.now(), left]);
    if (html) take(elementsOf(html));
    show();
  };

  const onNotice = (event) => {
    const { text, stream } = JSON.parse(event.data);
    take([noticeRow(text, stream)]);
  };

  // The server has nothing to follow. The browser asks again, because that may change.
  const onEnd = (event) => warn(JSON.parse(event.data).text);

  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };

  // A browser does not tell what a server has answered instead of events, so ask once more.
  const explain = async () => {
    let text = "";
    try {
      const answer = await fetch(source?.url ?? tail.dataset.events, { headers: { accept: "text/event-stream" } });
      const isText = answer.headers.get("content-type")?.startsWith("text/plain");
      if (answer.status === 401) text = "This page is not signed in any more: load it again.";
      else if (answer.status === 404) text = "The server has no stream of this table now. The page goes on when there is one.";
      else if (!answer.ok) text = isText ? (await answer.text()).trim() : `The server answers with status ${answer.status}.`;
      if (!answer.bodyUsed) await answer.body?.cancel();
    } catch {
      text = "";
    }
    return text;
  };

  const open = () => {
    close();
    const address = new URL(tail.dataset.events, location.href);
    if (lastId) address.searchParams.set("after", lastId);
    source = new EventSource(address);
    const opened = source;
    opened.onopen = () => {
      connection = "live";
      warn("");
      show();
    };
    opened.addEventListener("records", onRecords);
    opened.addEventListener("notice", onNotice);
    opened.addEventListener("ended", onEnd);
    opened.onerror = async () => {
      if (source !== opened) return;
      connection = "connection lost, trying again";
      show();
      if (opened.readyState !== EventSource.CLOSED) return;
      const text = await explain();
      if (source !== opened) return;
      if (text) warn(text);
      retry = setTimeout(open, RETRY);
    };
  };

  const setPaused = (paused) => {
    isPaused = paused;
    pauseButton.setAttribute("aria-pressed", String(paused));
    say(pauseButton, paused ? "Continue" : "Pause");
    if (!paused) {
      add(waiting);
      if (waitingCount > waiting.length) skipped += waitingCount - waiting.length;
      waiting = [];
      waitingCount = 0;
      updateExport();
    }
    show();
  };

  // A record opens below its row, so that the others stay in sight. It is also a page of its own.
  const toggle = async (link) => {
    const row = link.closest("tr");
    const below = row.nextElementSibling;
    if (below?.classList.contains("detail")) {
      below.remove();
      link.setAttribute("aria-expanded", "false");
      return;
    }
    // New rows must not push away what is being read.
    if (source && !isPaused) setPaused(true);
    const detail = document.createElement("tr");
    detail.className = "detail";
    const cell = detail.insertCell();
    cell.colSpan = 5;
    cell.textContent = "loading …";
    row.after(detail);
    link.setAttribute("aria-expanded", "true");
    try {
      const answer = await fetch(link.href);
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      const opened = parsed.getElementById("record") ?? parsed.getElementById("content");
      cell.replaceChildren(document.importNode(opened, true));
      cell.firstElementChild.removeAttribute("id");
    } catch {
      cell.textContent = "The record cannot be loaded: the connection is lost.";
    }
  };

  rows.addEventListener("click", (event) => {
    const link = event.target.closest("tr.record td.when a");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    toggle(link);
  });

  if (!tail.dataset.events) return;

  pauseButton.hidden = false;
  clearButton.hidden = false;
  pauseButton.addEventListener("click", () => setPaused(!isPaused));
  clearButton.addEventListener("click", () => {
    rows.replaceChildren();
    arrived = skipped = 0;
    updateExport();
    show();
  });
  exportLink.addEventListener("focus", updateExport);
  exportLink.addEventListener("pointerenter", updateExport);

  // The picture of the shards is drawn by the server, so it is asked for anew while somebody looks.
  const picture = document.getElementById("state");
  const mayReplace = () => {
    const selection = getSelection();
    const isBusy = picture.contains(document.activeElement) || (!selection.isCollapsed && picture.contains(selection.anchorNode));
    return !isPaused && !isBusy;
  };
  const refresh = async () => {
    if (!document.hidden && source && connection === "live" && mayReplace()) {
      try {
        const answer = await fetch(picture.dataset.part, { cache: "no-store" });
        const parsed = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
        const isTableOpen = picture.querySelector("details")?.open ?? false;
        const table = parsed.querySelector("details");
        if (table) table.open = isTableOpen;
        // Somebody may have begun to use it while the answer was on its way.
        if (answer.ok && mayReplace()) picture.replaceChildren(...parsed.body.childNodes);
      } catch {
        // The events say that the connection is lost.
      }
    }
    setTimeout(refresh, REFRESH);
  };
  setTimeout(refresh, REFRESH);

  document.addEventListener("visibilitychange", () => {
    hiddenSince = document.hidden ? performance.now() : 0;
    if (!document.hidden && !source) open();
  });
  setInterval(() => {
    if (document.hidden && source && performance.now() - hiddenSince > HIDDEN_FOR) {
      close();
      connection = "resting while nobody looks";
    }
    updateExport();
    show();
  }, 1000);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });

  open();
})();
