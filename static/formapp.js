// Improves form pages. Everything works without it.
(() => {
  "use strict";
  const form = document.querySelector("form");

  // In a frame, have errors and thanks read out.
  document.querySelector("[data-focus]")?.focus();

  if (form) {
    const button = form.querySelector("button");
    const label = button.textContent;
    let timer = 0;
    const rest = () => {
      clearTimeout(timer);
      button.removeAttribute("aria-disabled");
      button.textContent = label;
    };
    form.addEventListener("submit", (event) => {
      // A half-typed date would be sent as blank.
      const half = [...form.elements].find((control) => control.validity?.badInput);
      if (half || button.hasAttribute("aria-disabled")) {
        event.preventDefault();
        half?.reportValidity();
        return;
      }
      button.setAttribute("aria-disabled", "true");
      button.textContent = button.dataset.sending ?? label;
      timer = setTimeout(rest, 10000); // the connection may have failed
    });
    // Back from the next page.
    addEventListener("pageshow", rest);

    // An image is what the page's policy allows.
    const { started } = form.dataset;
    if (started) form.addEventListener("input", () => (new Image().src = started), { once: true });

    // A `maxlength` would cut pasted text, unseen.
    const count = (control) => {
      const { limit } = control.dataset;
      const used = [...control.value.trim()].length; // code points
      const near = used >= limit * 0.8;
      let output = control.nextElementSibling;
      if (near && !output) control.after((output = document.createElement("output")));
      if (!output) return;
      output.hidden = !near;
      output.classList.toggle("over", used > limit);
      output.textContent = form.dataset.count.replace("{count}", used).replace("{limit}", limit);
    };
    for (const control of form.querySelectorAll("[data-limit]")) {
      control.addEventListener("input", () => count(control));
      count(control);
    }
  }
})();
