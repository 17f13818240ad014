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

  const MOST_STEPS = 50;
  const results = (page, name) => page.querySelector(`[data-results="${name}"]`);
  const next = () => document.querySelector("[data-results] [rel=next]");
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
    const hadFocus = document.activeElement === next();
    for (const name of ["hint", "pages"]) {
      localize(results(page, name));
      results(document, name).replaceChildren(...results(page, name).childNodes);
    }
    if (hadFocus) next()?.focus();
  };
  const isPartial = () => next() && "further" in next().dataset;
  const found = () => document.querySelectorAll("[data-results] tbody tr").length;
  const say = () => {
    // Beside a link to newer ones: how many those are isn't known.
    if (results(document, "pages").querySelector("[rel=first]")) return;
    const [number, more] = [found(), next()];
    const leads = `${number}${more ? "+" : ""} ${number === 1 && !more ? "lead" : "leads"}`;
    document.querySelector("[data-found]").textContent = number ? leads : more ? "None found yet" : "None found";
  };
  const search = async () => {
    const leads = results(document, "leads");
    leads.ariaBusy = "true";
    try {
      for (let step = 0; step < MOST_STEPS && isPartial() && found() < leads.dataset.full; step += 1) {
        const page = await read(next().href);
        if (!page) return;
        goOn(page);
        if (!found() && !next()) document.querySelector(".export")?.remove();
      }
    } catch {
      // What was found stays, and the link that goes on.
    } finally {
      leads.ariaBusy = null;
      say();
    }
  };
  if (isPartial()) search();

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
