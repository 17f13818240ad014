// Improves form pages with JavaScript. Everything works without it.
(() => {
  "use strict";
  const form = document.querySelector("form");

  // In a frame, focus errors and thanks, so that they are read out and scrolled into view. On a hosted
  // page, autofocus and the page load do that.
  document.querySelector("[data-focus]")?.focus();

  if (form) {
    const button = form.querySelector("button");
    let timer = 0;
    const rest = () => {
      clearTimeout(timer);
      button.removeAttribute("aria-disabled");
    };
    form.addEventListener("submit", (event) => {
      // A half-typed date or number would be sent as blank: the browser reports it.
      const half = [...form.elements].find((control) => control.validity?.badInput);
      if (half || button.hasAttribute("aria-disabled")) {
        event.preventDefault();
        half?.reportValidity();
        return;
      }
      button.setAttribute("aria-disabled", "true");
      timer = setTimeout(rest, 10000); // the connection may have failed; sending again is harmless
    });
    // Back from the next page: browsers restore the page as it was left.
    addEventListener("pageshow", rest);
  }
})();
