// Runs beside formapp.js in a frame: reports the form's height to the embedding page, requests values
// for prefilling, and shows a notice if the frame's sandbox blocks the form.
(() => {
  "use strict";
  const { body } = document;
  const form = document.querySelector("form");
  const blocked = document.getElementById("blocked");

  const say = (why) => {
    const link = blocked.querySelector("a");
    link.textContent = link.href; // readable even if the frame may not open windows
    blocked.querySelector(`[data-why="${why}"]`).hidden = false;
    blocked.hidden = false;
    if (why === "forms") blocked.focus();
  };
  if (blocked && window.origin === "null") say("origin");
  else if (form && blocked) {
    // A sandbox without allow-forms suppresses the submission and its event.
    let pressed = 0;
    form.querySelector("button[type=submit]").addEventListener("click", () => (pressed = setTimeout(say, 0, "forms")));
    form.addEventListener("submit", () => clearTimeout(pressed));
  }

  // Messages go only to the embedding page's origin, which this page's address names.
  const around = new URLSearchParams(location.search).get("parent");
  if (window.parent === window || !around || !URL.canParse(around)) return;
  const { origin, protocol } = new URL(around);
  if (protocol !== "https:" && protocol !== "http:") return;
  const tell = (message) =>
    window.parent.postMessage({ ...message, form: body.dataset.form }, origin);
  const fit = () =>
    tell({ type: "formapp:height", height: Math.ceil(body.getBoundingClientRect().height) });
  fit(); // browsers may not observe a frame before it is visible
  new ResizeObserver(fit).observe(body);
  // Going back or reloading shows the thanks again, although nothing was sent.
  const [{ type: way }] = performance.getEntriesByType("navigation");
  if ("sent" in body.dataset && way === "navigate") tell({ type: "formapp:sent" });

  // Request values from the embedding page's query or script element by name, and fill only blank
  // controls. They arrive by message: in an address they would get into the logs of proxies.
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
    form.dispatchEvent(new Event("formapp:filled")); // other fields may apply now
  });
  if (asked.size) tell({ type: "formapp:ask", names: [...asked.keys()] });
})();
