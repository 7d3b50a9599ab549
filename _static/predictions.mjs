// "Your predictions": above the list of the book's questions, how often this reader was right and how surely; in the list, each
// guess. A deferred script, as wide.mjs is; without it the list of questions stands alone.
(() => {
  const KEY = "dlbook-predictions";
  const SURE = [["guess", "A guess"], ["fairly", "Fairly sure"], ["certain", "Certain"]];
  const FEW = 10;  // below this, shares say little
  const kept = window.dlbookKept;
  const parts = [...document.querySelectorAll(".predictions-part")].map((part) => ({
    part, title: part.querySelector(".rubric").textContent, links: [...part.querySelectorAll("li a")],
  }));
  if (!parts.length) return;
  const make = (kind, className, ...inside) => {
    const made = Object.assign(document.createElement(kind), { className });
    made.append(...inside);
    return made;
  };
  const hidden = (words) => make("span", "visually-hidden", words);
  const sign = (right) => Object.assign(make("span", `predict-sign ${right ? "is-right" : "is-wrong"}`, right ? "✓" : "✗"), { ariaHidden: "true" });
  const report = document.querySelector(".predictions-report");
  const rightOf = (found) => `${found.filter((one) => one.right).length} of ${found.length}`;

  const guesses = () => {
    const all = kept.read(KEY);
    return parts.flatMap(({ title, links }) => links.map((link) => ({ ...all[link.hash.slice(1)], title, link })))
      .map((one) => ({ ...one, made: one.sure !== undefined && one.right !== undefined }));
  };

  // What the three shares say, in one sentence, and only if there is enough to say it of.
  const verdict = (made) => {
    if (made.length < FEW) return `With fewer than ${FEW} predictions this says little. It will say more as you read on.`;
    const share = (how) => { const of = made.filter((one) => one.sure === how); return of.length >= 3 ? of.filter((one) => one.right).length / of.length : null; };
    const [low, high] = [share("guess") ?? share("fairly"), share("certain") ?? share("fairly")];
    if (share("certain") !== null && share("certain") < 0.75) return "Where you were certain, you were wrong more often than the word allows. Those questions are worth a second look.";
    if (low === null || high === null || (share("guess") === null && share("certain") === null)) return "Use the three words differently, and this page can tell whether they mean something.";
    return high > low ? "The surer you were, the more often you were right. That is what the words are for." : "You were right no more often where you were surer. The questions below show where.";
  };

  const row = (made, [how, words]) => {
    const found = made.filter((one) => one.sure === how);
    const name = make("th", "", words);
    name.scope = "row";
    const marks = make("td", "predictions-marks");
    for (const one of found) marks.append(make("span", "", sign(one.right), hidden(one.right ? "right " : "not right ")));
    return make("tr", "", name, marks, make("td", "number", found.length ? rightOf(found) : "none yet"));
  };

  const table = (caption, heads, rows) => {
    const head = make("tr", "", ...heads.map((words) => Object.assign(make("th", "", words), { scope: "col" })));
    const made = make("table", "predictions-table", make("caption", "", caption), make("thead", "", head), make("tbody", "", ...rows));
    return Object.assign(make("div", "predictions-wide", made), { tabIndex: 0, role: "region", ariaLabel: caption });
  };

  const partRow = (all, { title, links }) => {
    const made = all.filter((one) => one.title === title && one.made);
    const name = Object.assign(make("th", "", title), { scope: "row" });
    const by = SURE.map(([how]) => made.filter((one) => one.sure === how)).map((found) => make("td", "number", found.length ? rightOf(found) : "–"));
    return make("tr", "", name, make("td", "number", `${made.length} of ${links.length}`), make("td", "number", made.length ? rightOf(made) : "–"), ...by);
  };

  const forget = () => kept.deleteButton("Delete all my guesses", () => {
    kept.forget(KEY);
    show();
    const first = report.querySelector("p");
    first.tabIndex = -1;
    first.focus();
  });

  const show = () => {
    const all = guesses(), made = all.filter((one) => one.made);
    for (const { link, made: is, right, sure } of all) {
      const item = link.closest("li");
      item.querySelector(".predictions-yours")?.remove();
      const words = Object.fromEntries(SURE)[sure]?.toLowerCase();
      if (is) item.append(make("span", "predictions-yours", sign(right), right ? "right, " : "not right, ", words));
    }
    if (!made.length) {
      report.replaceChildren(make("p", "predictions-count", "You have made no predictions in this browser yet."), make("p", "", `The chapters ask ${all.length} questions. They are listed below; each opens at its place, so that you can read what comes before it.`));
      return;
    }
    const count = make("p", "predictions-count", `You made ${made.length} of ${all.length} predictions. `, make("strong", "", `${rightOf(made)} were right.`));
    report.replaceChildren(count, table("How surely you were right", ["You said", "Each prediction", "Right"], SURE.map((step) => row(made, step))), make("p", "", verdict(made)),
      table("By part of the book: right, of those predicted", ["Part", "Predicted", "Right", ...SURE.map(([, words]) => words)], parts.map((part) => partRow(all, part))), forget());
  };
  show();
})();
