// Solves the form's proof of work while the visitor types, with nothing to click and no other server.
// The challenge is ALTCHA's, version 2: find the counter whose derived key has the given prefix. If
// anything fails, the form is sent without a solution, and the submission goes to quarantine.
(() => {
  "use strict";
  const control = document.querySelector("input[data-challenge]");
  const form = control?.form;
  // Browsers offer no cryptography on plain HTTP pages from another machine.
  if (!form || !globalThis.crypto?.subtle) return;

  const AT_ONCE = 4; // parallel derivations: the browser spreads them over the cores
  const MOST = 100_000; // derivations before giving up
  const PATIENCE = 20_000; // longest wait after the button is pressed, in milliseconds
  const SPARE = 30; // least remaining validity of a solution, in seconds

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

  let work; // a promise of the solution's expiry in Unix seconds; 0 without a solution
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
  // Runs before any other listener: the others see one event, when the form is really sent.
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
    if (!work || goodUntil) start(); // not started, or expired
    form.ariaBusy = "true";
    button.setAttribute("aria-disabled", "true");
    const patience = new Promise((rest) => setTimeout(rest, PATIENCE));
    // After this event: browsers ignore a submission during it.
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

  // Back from the next page: the solution has been used.
  addEventListener("pageshow", ({ persisted }) => persisted && start());
})();
