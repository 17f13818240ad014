// Shows the fields whose condition is met. Without it all show, each with a hint.
(() => {
  "use strict";
  const form = document.querySelector("form");
  const controls = "input, select, textarea";
  const update = () => {
    // In the order of the page: a condition names an earlier field.
    for (const field of form.querySelectorAll("[data-if]")) {
      const { if: name, is } = field.dataset;
      const wanted = JSON.parse(is);
      const given = new FormData(form).getAll(name); // nothing of disabled controls
      const met = wanted.length ? given.some((value) => wanted.includes(value)) : !given.length;
      const applies = met && !!form.querySelector(`[name="${name}"]:enabled`);
      field.hidden = !applies;
      field.classList.remove("off");
      for (const control of field.querySelectorAll(controls)) control.disabled = !applies;
    }
    for (const section of form.querySelectorAll(".section"))
      section.hidden = !section.querySelector(".field:not([hidden])");
    form.dispatchEvent(new Event("formapp:applied"));
  };
  for (const hint of form.querySelectorAll(".when")) hint.remove();
  for (const type of ["input", "formapp:filled"]) form.addEventListener(type, update);
  // Browsers fill in restored answers after the script.
  addEventListener("pageshow", update);
  update();
})();
