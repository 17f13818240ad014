// What a form page does better with JavaScript. Everything works without it.
(() => {
  "use strict";
  const body = document.body;
  const form = document.querySelector("form");

  // In a frame, errors and thanks get the focus, so that they are heard and seen at once; on a page of
  // its own, autofocus and the page load do that.
  document.querySelector("[data-focus]")?.focus();

  if (form) {
    const button = form.querySelector("button");
    let timer = 0;
    const rest = () => {
      clearTimeout(timer);
      button.removeAttribute("aria-disabled");
    };
    form.addEventListener("submit", (event) => {
      // A half typed date or number would reach the server as nothing: the browser points it out.
      const half = [...form.elements].find((control) => control.validity?.badInput);
      if (half || button.hasAttribute("aria-disabled")) {
        event.preventDefault();
        half?.reportValidity();
        return;
      }
      button.setAttribute("aria-disabled", "true");
      timer = setTimeout(rest, 10000); // the connection may have failed; sending again is harmless
    });
    // Back from the next page: the page is shown as it was left.
    addEventListener("pageshow", rest);
  }

  // In a frame, the page around hears how tall this one is: an integer, to that page's origin alone.
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
  if ("sent" in body.dataset) tell({ type: "formapp:sent" });
})();
