// The switch Read / Read with code. What it says is kept in the browser; reading.js of the extension has set it before
// the page was painted. A deferred script, as wide.mjs is.
(() => {
  const root = document.documentElement;
  const choices = [...document.querySelectorAll(".code-switch input")];
  const check = () => { for (const choice of choices) choice.checked = choice.value === root.dataset.code; };

  // What the reader has before the eyes stays there, whatever opens or closes above it.
  const inSight = () => [...document.querySelectorAll("article section > *")]
    .find((element) => element.getBoundingClientRect().top >= 60 && !element.matches(".cell"));

  const choose = (mode) => {
    const element = inSight();
    const before = element?.getBoundingClientRect().top;
    root.style.overflowAnchor = "none";  // else the browser moves the page too, and it moves twice
    root.dataset.code = mode;
    for (const fold of document.querySelectorAll("details.fold-code")) fold.open = mode === "code";
    check();
    if (element) scrollBy({ top: element.getBoundingClientRect().top - before, behavior: "instant" });
    requestAnimationFrame(() => requestAnimationFrame(() => { root.style.overflowAnchor = ""; }));
  };

  for (const choice of choices) choice.addEventListener("change", () => {
    try { localStorage.setItem("dlbook-code", choice.value); } catch { /* it lasts as long as the page */ }
    choose(choice.value);
  });
  addEventListener("storage", (event) => { if (event.key === "dlbook-code") choose(event.newValue === "code" ? "code" : "read"); });
  check();

  // Before CSS can open a fold by itself, a script has to; the page is as it was after the print.
  let opened = [];
  addEventListener("beforeprint", () => {
    const kinds = `details:not([open], .fold-checks, .fold-setup${root.dataset.code === "code" ? "" : ", .fold-code"})`;
    opened = [...document.querySelectorAll(`article ${kinds}`)];
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });
})();
