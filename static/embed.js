// Embeds a form after this script element; the README lists all attributes.
(() => {
  "use strict";
  const LOOK = ["accent", "text", "background", "radius", "font"];
  const query = new URLSearchParams(location.search);
  const bare = (address) => address.split(/[?#]/)[0];

  const put = (script, place) => {
    const { form, title, lang, link, target, heading } = script.dataset;
    const warn = (text) => console.warn(`formapp: the form "${form}" isn't shown. ${text}`);
    if (!place || place === document.head) return warn("Set data-target to the element for it.");

    const own = new URL(`f/${encodeURIComponent(form)}`, script.src);
    for (const [key, value] of query) if (/^utm_/.test(key)) own.searchParams.append(key, value);
    if (lang) own.searchParams.set("lang", lang === "auto" ? document.documentElement.lang : lang);

    const url = new URL(own);
    url.pathname += "/embed";
    const say = (key, value) => value && url.searchParams.set(key, value);
    // Files and sandboxes have no origin to name. Queries stay on the page.
    if (/^http/.test(origin)) {
      say("parent", origin);
      say("_page", bare(location.href));
    }
    say("_referrer", bare(document.referrer));
    for (const key of LOOK) {
      say(`theme.${key}`, script.getAttribute(`data-${key}`));
      say(`theme.dark.${key}`, script.getAttribute(`data-dark-${key}`));
    }

    if (heading === "off") say("heading", heading);

    const frame = document.createElement("iframe");
    frame.title = title || "Form";
    const { style } = frame;
    style.display = "block";
    style.width = "100%";
    // Until the form reports its height: what the page reserves by the min-height around the script.
    const { minHeight } = getComputedStyle(place);
    style.height = parseFloat(minHeight) ? minHeight : "32rem";
    style.border = "0";
    // A skeleton of labels and controls, until the form is there.
    const tint = "color-mix(in srgb,currentcolor 9%,transparent)";
    style.background =
      `linear-gradient(${tint} 1rem,transparent 0) 0 0/30% 7rem repeat-y,` +
      `repeating-linear-gradient(transparent 0 1.5rem,${tint} 0 4.5rem,transparent 0 7rem)`;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pulse = frame.animate({ opacity: still ? [1, 1] : [1, 0.5, 1] }, { duration: 2000, iterations: Infinity });
    const shown = () => {
      style.background = "";
      pulse.cancel();
    };

    // The frame is transparent. The form follows the page's text colour; if the page supports light
    // and dark, the visitor's preference. color-mix() turns any colour notation into RGB.
    const instead = document.createElement("p");
    instead.style.color = "color-mix(in srgb,currentcolor,currentcolor)";
    place.append(instead);
    const { color, colorScheme } = getComputedStyle(instead);
    if (!/light dark|dark light/.test(colorScheme)) {
      const [r, g, b] = color.match(/[-\d.e]+/g);
      style.colorScheme = +r + +g + +b > (/^rgb/.test(color) ? 382 : 1.5) ? "dark" : "light";
      say("scheme", style.colorScheme);
    }
    instead.remove();

    let heard = false;
    const anchor = document.createElement("a");
    anchor.href = own;
    anchor.target = "_blank";
    anchor.textContent = link || "The form can't be shown here. Open it in a new window.";
    instead.append(anchor);
    const fail = (why) => {
      if (heard || instead.isConnected || document.activeElement === frame) return;
      style.display = "none";
      frame.after(instead);
      warn(why);
    };
    const refused = /^http/.test(origin)
      ? `Add "${origin}" to origins in ${form}.toml. Is ${url.origin} there?`
      : "The page has no origin: is it in a sandbox?";
    frame.addEventListener("load", () => {
      shown();
      setTimeout(fail, 3000, refused);
    });
    setTimeout(fail, 20000, refused);
    document.addEventListener("securitypolicyviolation", (event) => {
      if (event.disposition !== "enforce" || event.effectiveDirective !== "frame-src") return;
      if (event.blockedURI.startsWith(url.origin))
        fail(`Add "frame-src ${url.origin}" to this page's Content-Security-Policy.`);
    });

    addEventListener("message", ({ origin, source, data }) => {
      if (origin !== url.origin || source !== frame.contentWindow || !data) return;
      const { type, height, names } = data;
      const detail = { form };
      if (type === "formapp:ask") {
        const values = {};
        for (const name of names || []) {
          const given = script.getAttribute(`data-prefill-${name}`);
          values[name] = given === null ? query.getAll(name) : [given];
        }
        return source.postMessage({ type: "formapp:fill", values }, origin);
      }
      if (type === "formapp:height") {
        if (!Number.isInteger(height) || height < 0 || height > 20000) return;
        heard = true;
        shown();
        instead.remove();
        style.display = "block";
        style.height = `${height}px`;
        detail.height = height;
      } else if (type !== "formapp:sent") return;
      frame.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
    });
    frame.src = url;
    if (target) place.append(frame);
    else script.after(frame);
  };

  // Modules have no currentScript.
  const me = document.currentScript;
  const all = document.querySelectorAll('script[data-form][src*="/embed.js"]');
  for (const script of me?.dataset.form ? [me] : all) {
    if (script.formapp) continue;
    script.formapp = true;
    const { target } = script.dataset;
    const start = () => put(script, target ? document.querySelector(target) : script.parentElement);
    if (target && document.readyState === "loading") addEventListener("DOMContentLoaded", start);
    else start();
  }
})();
