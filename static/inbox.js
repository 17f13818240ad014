// Shows times in the reader's time zone, refreshes a page that asks for it without losing place, and
// goes on with a search whose first answer has looked through the newest leads alone.
(() => {
  "use strict";
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const localize = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const text = day.format(new Date(time.dateTime));
      if ("age" in time.dataset) time.title = text;
      else time.textContent = text;
    }
  };
  localize(document);

  const read = async (address) => {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    // A redirect leads to the page for signing in.
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const FULL = 50;
  const MOST_STEPS = 50;
  const results = (page, name) => page.querySelector(`[data-results="${name}"]`);
  const goOn = (page) => {
    const [leads, older] = [results(document, "leads"), results(page, "leads")];
    const [rows, more] = [leads.querySelector("tbody"), older.querySelector("tbody")];
    localize(older);
    if (rows) rows.append(...(more?.children ?? []));
    else leads.replaceChildren(...older.childNodes);
    // Where the newest are shown already, no link leads back to them.
    const newest = results(page, "pages").querySelector("[rel=first]");
    if (newest && !results(document, "pages").querySelector("[rel=first]")) {
      const links = newest.parentElement;
      newest.remove();
      if (!links.firstElementChild) links.remove();
    }
    for (const name of ["hint", "pages"]) {
      localize(results(page, name));
      results(document, name).replaceChildren(...results(page, name).childNodes);
    }
  };
  const found = () => document.querySelectorAll("[data-results] tbody tr").length;
  const next = () => document.querySelector("[data-results] [rel=next]");
  const isPartial = () => next() && "further" in next().dataset;
  const search = async () => {
    const shown = document.querySelector("[data-found]");
    for (let step = 0; step < MOST_STEPS && isPartial() && found() < FULL; step += 1) {
      const page = await read(next().href);
      if (!page) return;
      goOn(page);
      const [number, more] = [found(), next()];
      if (number) shown.textContent = `${number}${more ? "+" : ""} ${number === 1 && !more ? "lead" : "leads"}`;
      else if (!more) document.querySelector(".export")?.remove();
    }
  };
  // What was found stays; the link that goes on, too.
  search().catch(() => {});

  const live = document.querySelector("[data-refresh]");
  if (!live) return;
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const page = await read(location.href);
      if (!page) return;
      for (const part of live.querySelectorAll("[data-part]")) {
        const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
        // What has the focus, or is opened, stays as it is.
        if (!fresh || part.contains(document.activeElement) || part.querySelector("details[open]")) continue;
        localize(fresh);
        part.replaceChildren(...fresh.childNodes);
      }
      if (!page.querySelector("[data-refresh]")) clearInterval(timer);
    } catch {
      // The next time will do.
    }
  };
  const timer = setInterval(refresh, Number(live.dataset.refresh) * 1000);
})();
