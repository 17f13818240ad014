"use strict";

// Keeps the contact list up to date without a reload. Without this script the page works by
// reloading and by its search button.
(() => {
  const list = document.getElementById("contacts");
  const count = document.getElementById("count");
  const live = document.getElementById("live");
  const form = document.getElementById("search");
  const box = document.getElementById("q");
  const EVERY = 1500;
  let version = list.dataset.version;
  let timer = 0;
  let latest = 0;

  const revisions = () =>
    new Map([...list.querySelectorAll(".card")].map((card) => [card.dataset.id, card.dataset.revision]));

  function show(html) {
    const before = revisions();
    const open = new Set([...list.querySelectorAll("details[open]")].map((one) => one.dataset.key));
    const focused = document.activeElement?.closest?.("details")?.dataset.key;
    list.innerHTML = html;
    for (const details of list.querySelectorAll("details")) {
      details.open = open.has(details.dataset.key);
      if (focused && details.dataset.key === focused) {
        details.querySelector("summary").focus({ preventScroll: true });
      }
    }
    for (const card of list.querySelectorAll(".card")) {
      const changed = before.get(card.dataset.id) !== card.dataset.revision;
      card.classList.toggle("fresh", changed);
    }
  }

  async function refresh() {
    const mine = ++latest;
    const query = new URLSearchParams({ site: list.dataset.site, q: box.value.trim(), version });
    try {
      const answer = await fetch(`/people.json?${query}`);
      const found = await answer.json();
      if (mine !== latest) return;
      live.hidden = false;
      live.classList.remove("lost");
      live.textContent = "Live";
      if (found.html !== undefined) {
        version = found.version;
        show(found.html);
        if (count.textContent !== found.count) count.textContent = found.count;
      }
    } catch {
      live.hidden = false;
      live.classList.add("lost");
      live.textContent = "Connection lost, trying again";
    }
  }

  function again(delay) {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (!document.hidden) await refresh();
      again(EVERY);
    }, delay);
  }

  function search() {
    const wanted = box.value.trim();
    history.replaceState(null, "", wanted ? `?q=${encodeURIComponent(wanted)}` : location.pathname);
    version = "";
    again(150);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  box.addEventListener("input", search);
  document.addEventListener("visibilitychange", () => again(0));
  again(0);
})();
