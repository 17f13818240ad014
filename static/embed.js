// Puts a form of formapp into the page, right after this script element:
//
//   <script src="https://forms.example.com/embed.js" data-form="contact" async></script>
//
// data-form   the form's name
// data-title  what a screen reader calls the frame; "Form" unless given
//
// On the frame, and bubbling, two events arrive: "formapp:height" and "formapp:sent"; their detail
// holds the form's name, and the height in pixels.
(() => {
  "use strict";
  const script = document.currentScript;
  const name = script?.dataset.form;
  if (!name) return;

  const url = new URL(`f/${encodeURIComponent(name)}/embed`, script.src);
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (key.startsWith("utm_")) url.searchParams.append(key, value);
  }
  // A page without an origin of its own (a file, a sandbox) can't be named, so nothing is sent to it.
  if (/^https?:\/\//.test(location.origin)) url.searchParams.set("parent", location.origin);

  const frame = document.createElement("iframe");
  frame.title = script.dataset.title || "Form";
  // Styles are set one by one, which a strict content security policy allows.
  const { style } = frame;
  style.display = "block";
  style.width = "100%";
  style.height = "32rem"; // until the form tells its own
  style.border = "0";

  // The frame is transparent, so the form must be as light or as dark as the page around it. A page
  // made for both follows its visitor, and so does the form; else the colour of the text tells.
  const around = getComputedStyle(script.parentElement);
  if (!/light dark|dark light/.test(around.colorScheme)) {
    const rgb = /^rgba?\((\d+), (\d+), (\d+)/.exec(around.color);
    const scheme = rgb && +rgb[1] + +rgb[2] + +rgb[3] > 382 ? "dark" : "light";
    url.searchParams.set("scheme", scheme);
    style.colorScheme = scheme;
  }

  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== url.origin || source !== frame.contentWindow || !data) return;
    const { type, height } = data;
    const detail = { form: name };
    if (type === "formapp:height") {
      if (!Number.isInteger(height) || height < 0 || height > 20000) return;
      style.height = `${height}px`;
      detail.height = height;
    } else if (type !== "formapp:sent") return;
    frame.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  });
  frame.src = url;
  script.after(frame);
})();
