// Shows times in the reader's time zone, and refreshes a page that asks for it without losing place.
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

  const live = document.querySelector("[data-refresh]");
  if (!live) return;
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      // A redirect leads to the page for signing in.
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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
