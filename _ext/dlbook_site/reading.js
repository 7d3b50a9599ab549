(() => {  // how the page is read, set before anything of it is painted
  const root = document.documentElement;
  root.dataset.code = "read";
  try { if (localStorage.getItem("dlbook-code") === "code") root.dataset.code = "code"; } catch { return; }
  if (root.dataset.code === "read") return;
  const open = () => document.querySelectorAll("details.fold-code:not([open])").forEach((fold) => { fold.open = true; });
  const watching = new MutationObserver(open);
  watching.observe(root, { childList: true, subtree: true });
  addEventListener("DOMContentLoaded", () => { open(); watching.disconnect(); });
})();
