// Shows one step of a long form at a time. Without it all are on the page, each with its heading.
(() => {
  "use strict";
  const form = document.querySelector("form");
  const steps = [...form.querySelectorAll(".step")];
  const send = form.querySelector("button[type=submit]");
  const button = (label, go) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", go);
    return made;
  };
  let now = steps[0];

  // A step none of whose fields apply is passed over.
  const open = () => steps.filter((step) => step.querySelector(".field:not([hidden], .off)"));
  const neighbour = (way) => open()[open().indexOf(now) + way];
  const show = () => {
    const all = open();
    const heading = now.querySelector("h2");
    let progress = heading.querySelector(".progress");
    if (!progress) {
      progress = document.createElement("span");
      progress.className = "progress";
      heading.prepend(progress);
    }
    // Part of the heading, so that it is read out when the heading gets the focus.
    progress.textContent = `${form.dataset.progress
      .replace("{step}", all.indexOf(now) + 1)
      .replace("{steps}", all.length)} `;
    for (const step of steps) step.hidden = step !== now;
    back.hidden = !neighbour(-1);
    next.hidden = !neighbour(1);
    send.hidden = !next.hidden;
  };
  const goTo = (step) => {
    now = step;
    show();
    now.querySelector("h2").focus();
  };
  const forward = () => {
    const [first] = form.formappCheck([...now.querySelectorAll(".field:not([hidden])")]);
    if (first) return first.querySelector("input, select, textarea").focus();
    goTo(neighbour(1));
    history.pushState({ step: steps.indexOf(now) }, "");
  };
  const backward = () => {
    // Where a step was entered by Next, the browser's Back does the same.
    const { step } = history.state ?? {};
    if (step === steps.indexOf(now) && step) history.back();
    else goTo(neighbour(-1));
  };
  const back = button(form.dataset.back, backward);
  const next = button(form.dataset.next, forward);
  back.className = "second";
  const row = document.createElement("div");
  row.className = "row";
  send.before(row);
  row.append(next, send, back);

  addEventListener("popstate", ({ state }) => {
    const step = steps[state?.step]; // a link within the page has none
    if (open().includes(step)) goTo(step);
  });
  form.addEventListener("formapp:applied", show);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || next.hidden || !event.target.matches("input")) return;
    event.preventDefault();
    forward();
  });
  // The errors' links lead to other steps, too.
  document.querySelector(".summary")?.addEventListener("click", ({ target }) => {
    const control = document.querySelector(target.closest("a")?.hash || null);
    const step = control?.closest(".step");
    if (!step) return;
    now = step;
    show();
  });

  form.classList.add("stepped");
  const faulty = form.querySelector(".wrong")?.closest(".step");
  const [{ type }] = performance.getEntriesByType("navigation");
  const restored = type === "back_forward" ? steps[history.state?.step] : null;
  now = faulty ?? restored ?? open()[0];
  history.replaceState({ step: steps.indexOf(now) }, "");
  show();
})();
