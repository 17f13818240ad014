// Shows the copy buttons. If the page may not write to the clipboard, they select the text instead.
(() => {
  "use strict";
  const said = document.getElementById("said");
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const text = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      let done = "Copied";
      try {
        await navigator.clipboard.writeText(text.textContent);
      } catch {
        getSelection().selectAllChildren(text);
        done = "Selected";
      }
      button.textContent = said.textContent = done;
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
  }
})();
