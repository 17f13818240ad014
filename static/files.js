// On forms that take files: lists what was chosen, checks sizes, shows how far sending is.
(() => {
  "use strict";
  const form = document.querySelector("form");
  const controls = form ? [...form.querySelectorAll('input[type="file"]')] : [];
  const units = ["B", "kB", "MB", "GB"];

  const sized = (bytes) => {
    let unit = 0;
    for (; bytes >= 1000 && unit < 3; unit++) bytes /= 1000;
    return `${unit && bytes < 10 ? Math.round(bytes * 10) / 10 : Math.round(bytes)} ${units[unit]}`;
  };

  // What is wrong with a control's files, before they are sent for nothing.
  const wrong = (control) => {
    const { maxSize, maxFiles, tooBig, tooMany } = control.dataset;
    if ([...control.files].some((file) => file.size > maxSize)) return tooBig;
    return control.files.length > maxFiles ? tooMany : "";
  };

  const list = (control) => {
    let output = control.nextElementSibling;
    if (!output) control.after((output = document.createElement("output")));
    const problem = wrong(control);
    const names = [...control.files].map((file) => `${file.name} (${sized(file.size)})`);
    output.textContent = [...names, problem].filter(Boolean).join("\n");
    output.hidden = !output.textContent;
    output.classList.toggle("over", Boolean(problem));
  };

  for (const control of controls) {
    control.addEventListener("change", () => list(control));
    list(control); // after "Back", browsers restore what was chosen
  }

  form?.addEventListener("submit", (event) => {
    const bad = controls.find(wrong);
    if (!bad) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    bad.focus();
  }, true);

  const send = (event) => {
    if (event.defaultPrevented || !controls.some((control) => control.files.length)) return;
    event.preventDefault();
    const button = form.querySelector("button");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.setRequestHeader("Formapp-Progress", "1");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      button.setAttribute("aria-disabled", "true");
      button.textContent = `${button.dataset.sending} ${Math.floor((loaded * 100) / total)} %`;
    });
    request.addEventListener("load", () => {
      if ((request.getResponseHeader("Content-Type") ?? "").startsWith("application/json")) {
        location.assign(JSON.parse(request.responseText).next);
        return;
      }
      // The form with its errors, as if the browser had sent it.
      document.open();
      document.write(request.responseText);
      document.close();
    });
    // Without a connection the browser itself says so.
    request.addEventListener("error", () => form.submit());
    request.send(new FormData(form));
  };
  // Behind the listeners of formapp.js, which refuses a second press.
  document.addEventListener("DOMContentLoaded", () => form?.addEventListener("submit", send));
})();
