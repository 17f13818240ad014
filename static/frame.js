// What a form in a frame does besides formapp.js: it tells the page around how tall it is, asks it what
// to fill in beforehand, and says so where the frame doesn't let it be sent.
(() => {
  "use strict";
  const { body } = document;
  const form = document.querySelector("form");
  const blocked = document.getElementById("blocked");

  const say = (why) => {
    const link = blocked.querySelector("a");
    link.textContent = link.href; // a frame that opens no window either shows where to go
    blocked.querySelector(`[data-why="${why}"]`).hidden = false;
    blocked.hidden = false;
    if (why === "forms") blocked.focus();
  };
  if (blocked && window.origin === "null") say("origin");
  else if (form && blocked) {
    // A sandbox without allow-forms swallows the post, and even the event before it.
    let pressed = 0;
    form.querySelector("button").addEventListener("click", () => (pressed = setTimeout(say, 0, "forms")));
    form.addEventListener("submit", () => clearTimeout(pressed));
  }

  // The page around is spoken to by its origin alone, which the address of this one names.
  const around = new URLSearchParams(location.search).get("parent");
  if (window.parent === window || !around || !URL.canParse(around)) return;
  const { origin, protocol } = new URL(around);
  if (protocol !== "https:" && protocol !== "http:") return;
  const tell = (message) =>
    window.parent.postMessage({ ...message, form: body.dataset.form }, origin);
  const fit = () =>
    tell({ type: "formapp:height", height: Math.ceil(body.getBoundingClientRect().height) });
  fit(); // a frame that is out of sight may not be observed until it comes into view
  new ResizeObserver(fit).observe(body);
  // Going back and forward, or loading it again, shows the thanks once more; nothing was sent then.
  const [{ type: way }] = performance.getEntriesByType("navigation");
  if ("sent" in body.dataset && way === "navigate") tell({ type: "formapp:sent" });

  // What the page's own query or its script element holds is asked for by name, and fills only what
  // is blank. It comes as a message: an address would leave it in the log of every proxy.
  const asked = new URLSearchParams(form?.dataset.asked);
  const fill = (control, values) => {
    if (control.type === "radio" || control.type === "checkbox") {
      control.checked ||= values.includes(control.value);
    } else if (!control.value && values.length) {
      const known = !control.options || [...control.options].some(({ value }) => value === values[0]);
      if (known) control.value = values[0];
    }
  };
  addEventListener("message", ({ origin: from, source, data }) => {
    if (from !== origin || source !== window.parent || data?.type !== "formapp:fill") return;
    for (const [name, values] of Object.entries(data.values)) {
      const found = asked.has(name) && form.elements.namedItem(asked.get(name));
      if (!found || !Array.isArray(values)) continue;
      for (const control of found instanceof RadioNodeList ? found : [found]) fill(control, values);
    }
  });
  if (asked.size) tell({ type: "formapp:ask", names: [...asked.keys()] });
})();
