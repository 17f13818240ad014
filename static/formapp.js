// Improves form pages. Everything works without it.
(() => {
  "use strict";
  const form = document.querySelector("form");

  // In a frame, have errors and thanks read out.
  document.querySelector("[data-focus]")?.focus();

  if (form) {
    const button = form.querySelector("button[type=submit]");
    const label = button.textContent;
    let timer = 0;
    const rest = () => {
      clearTimeout(timer);
      button.removeAttribute("aria-disabled");
      button.textContent = label;
    };
    form.addEventListener("submit", (event) => {
      // A half-typed date would be sent as blank: the browser reports it.
      const half = [...form.elements].find((one) => one.willValidate && one.validity.badInput);
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

    // Say what is wrong with a field once it was changed and left, in the server's words: after Tab
    // alone is no answer yet. Sending is never blocked: the server has the last word.
    const wrong = (field) => {
      const all = [...field.querySelectorAll("input, select, textarea")].filter((one) => !one.disabled);
      const { empty, like, wrong, least, short, most, long } = field.dataset;
      const [first] = all;
      if (!first || first.validity.badInput) return "";
      // Boxes beside a file are files of an earlier post.
      if (all.some((one) => /file|radio|checkbox/.test(one.type)))
        return all.some((one) => one.checked || one.files?.length) ? "" : empty;
      const text = first.value.trim();
      const { length } = [...text];
      if (!length) return empty;
      if (length > most) return long;
      if (length < least) return short;
      return like && !new RegExp(like, "su").test(text) ? wrong : "";
    };
    const mark = (field, text) => {
      const all = [...field.querySelectorAll("[name]:not([name^=_])")];
      field.querySelector(".error")?.remove();
      field.classList.toggle("wrong", !!text);
      const id = `e-${all[0].name}`;
      for (const one of field.matches("fieldset") ? [field, ...all] : all) {
        const ids = (one.getAttribute("aria-describedby") ?? "").split(" ").filter((each) => each && each !== id);
        if (text) ids.push(id);
        if (ids.length) one.setAttribute("aria-describedby", ids.join(" "));
        else one.removeAttribute("aria-describedby");
        if (one === field) continue;
        if (text) one.setAttribute("aria-invalid", "true");
        else one.removeAttribute("aria-invalid");
      }
      if (!text) return;
      const error = document.createElement("p");
      const before = document.createElement("span");
      before.className = "unseen";
      before.textContent = `${form.dataset.error} `;
      error.className = "error";
      error.id = id;
      error.append(before, text);
      (all[0].closest(".option") ?? all[0]).before(error);
    };
    form.formappCheck = (fields) =>
      fields.filter((field) => {
        mark(field, wrong(field));
        return field.matches(".wrong");
      });

    const changed = new Set();
    let pressed = false;
    let left = [];
    const check = () => form.formappCheck(left.splice(0));
    form.addEventListener("input", ({ target }) => {
      const field = target.closest(".field");
      if (!field) return;
      changed.add(field);
      if (field.matches(".wrong")) mark(field, "");
    });
    form.addEventListener("focusout", ({ target, relatedTarget }) => {
      const field = target.closest(".field");
      if (!field || field.contains(relatedTarget) || !changed.has(field)) return;
      left.push(field);
      if (!pressed) check();
    });
    // What is being pressed must not move away below the pointer.
    addEventListener("pointerdown", () => (pressed = true), true);
    for (const end of ["pointerup", "pointercancel"])
      addEventListener(
        end,
        () => {
          pressed = false;
          setTimeout(check, 50);
        },
        true,
      );
  }
})();
