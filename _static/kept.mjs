// What a reader's browser keeps for this book, as JSON; nothing of it leaves the browser. Where a browser keeps nothing (a
// private window, a page that is a file), it lasts as long as the page. A deferred script, as wide.mjs is.
window.dlbookKept = (() => {
  const here = {};
  const parse = (text) => {
    try { const found = JSON.parse(text); return found && typeof found === "object" && !Array.isArray(found) ? found : {}; } catch { return {}; }
  };
  return {
    read(key) {
      try { return here[key] ?? parse(localStorage.getItem(key)); } catch { return here[key] ?? {}; }
    },
    // Whether it will still be there on the next page.
    write(key, value) {
      try { localStorage.setItem(key, JSON.stringify(value)); delete here[key]; return true; } catch { here[key] = value; return false; }
    },
    forget(key) {
      delete here[key];
      try { localStorage.removeItem(key); } catch { /* then there was nothing */ }
    },
    // A button that asks once more before it calls `remove`.
    deleteButton(words, remove) {
      const button = (text, onclick) => Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick });
      const [line, sure] = [document.createElement("p"), document.createElement("span")];
      const [ask, no] = [button(words, () => turn(true)), button("Keep them", () => turn(false))];
      const turn = (asked) => { [ask.hidden, sure.hidden] = [asked, !asked]; (asked ? no : ask).focus(); };
      sure.append("This cannot be undone. ", button("Yes, delete them", remove), " ", no);
      [line.className, sure.className, sure.hidden] = ["kept-delete", "kept-sure", true];
      line.append(ask, sure);
      return line;
    },
  };
})();
