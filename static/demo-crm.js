// Reads the page again and replaces its live parts, but none that somebody is editing.
const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch(location.pathname);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh && !busy(part) && fresh.innerHTML !== part.innerHTML) part.replaceWith(fresh);
    }
  } catch {
    // The demo has ended, or starts again: the next try will say.
  }
}

setInterval(refresh, 1500);
