// Solves the form's proof of work while the visitor types: nothing to click, no other server. The
// challenge is ALTCHA's, version 2: find the counter whose derived key begins as it says. Whatever goes
// wrong, the form is sent without a solution: then the owner sees it before it goes on.
(() => {
  "use strict";
  const control = document.querySelector("input[data-challenge]");
  const form = control?.form;
  // Browsers have no cryptography for pages that came over plain HTTP from another machine.
  if (!form || !globalThis.crypto?.subtle) return;

  const AT_ONCE = 4; // derivations under way: the browser spreads them over the cores
  const MOST = 100_000; // derivations after which it is given up
  const PATIENCE = 20_000; // milliseconds that a visitor who has pressed the button waits at most
  const SPARE = 30; // seconds that a solution must still be good for

  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const hex = (buffer) =>
    Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const derive = async ({ nonce, salt, cost, keyLength }, counter) => {
    const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
    new DataView(password.buffer).setUint32(password.length - 4, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
    return hex(await crypto.subtle.deriveBits(how, key, keyLength * 8));
  };

  const solve = async () => {
    const answer = await fetch(control.dataset.challenge, { credentials: "omit" });
    const challenge = await answer.json();
    const { parameters } = challenge;
    for (let first = 0; first < MOST; first += AT_ONCE) {
      const counters = Array.from({ length: AT_ONCE }, (_, step) => first + step);
      const keys = await Promise.all(counters.map((counter) => derive(parameters, counter)));
      const found = keys.findIndex((key) => key.startsWith(parameters.keyPrefix));
      if (found >= 0) {
        const solution = { counter: counters[found], derivedKey: keys[found] };
        control.value = btoa(JSON.stringify({ challenge, solution }));
        return parameters.expiresAt;
      }
    }
    return 0;
  };

  let work; // a promise of when the solution expires; 0 where there is none
  let goodUntil = 0;
  const start = () => {
    control.value = "";
    goodUntil = 0;
    work = solve().catch(() => 0);
    work.then((expiry) => (goodUntil = expiry));
  };
  const startOnce = () => work ?? start();
  form.addEventListener("focusin", startOnce);
  form.addEventListener("input", startOnce);

  const button = form.querySelector("button");
  let sending = false;
  // Before any other listener: these hear of it once, when the form really goes.
  const hold = (event) => {
    if (event.target !== form) return;
    const isGood = () => goodUntil > Date.now() / 1000 + SPARE;
    if (sending || isGood()) {
      sending = false;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.ariaBusy === "true") return;
    if (!work || goodUntil) start(); // not begun, or too old by now
    form.ariaBusy = "true";
    button.setAttribute("aria-disabled", "true");
    const patience = new Promise((rest) => setTimeout(rest, PATIENCE));
    // Not before this event is over: until then browsers let the form go nowhere.
    Promise.race([work, patience]).then(() => setTimeout(send));
  };
  const send = () => {
    form.ariaBusy = null;
    button.removeAttribute("aria-disabled");
    sending = true;
    form.requestSubmit(button);
    sending = false;
  };
  addEventListener("submit", hold, true);

  // Back from the next page: the solution was used for what was sent.
  addEventListener("pageshow", ({ persisted }) => persisted && start());
})();
