// "Predict first": a reader chooses or enters, says how sure, and the answer opens with the guess marked. A deferred script, as
// wide.mjs is. The boxes are written by _ext/dlbook_site/predictions.py; without a script they are a question and a folded answer.
(() => {
  const KEY = "dlbook-predictions";
  const kept = window.dlbookKept;
  const SURE = { guess: "It was a guess.", fairly: "You were fairly sure.", certain: "You were certain." };
  const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
  const make = (kind, className, ...inside) => {
    const made = Object.assign(document.createElement(kind), { className });
    made.append(...inside);
    return made;
  };
  const sign = (right) => Object.assign(make("span", "predict-sign", right ? "✓" : "✗"), { ariaHidden: "true" });

  // A number as people write it: 1,000 or 0,5 or 1e-3. NaN for what is none.
  const number = (text) => {
    const bare = text.trim().replace(/[\s\u2009%]/g, "").replace("−", "-").replace(/,(?=\d{3}(\D|$))/g, "").replace(",", ".");
    return NUMBER.test(bare) ? Number(bare) : NaN;
  };

  for (const box of document.querySelectorAll(".predict-box")) start(box);

  function start(box) {
    const { name, right, low, high } = box.dataset;
    const part = (selector) => box.querySelector(selector);
    const [answer, field, sure, note, verdict] = ["details", ".predict-number", ".predict-sure", ".predict-note", ".predict-verdict"].map(part);
    const choices = [...box.querySelectorAll(".predict-choices input")];
    const inputs = field ? [field] : choices;

    const guessed = () => (field ? field.value.trim() : choices.find((choice) => choice.checked)?.value ?? "");
    const isRight = (guess) => (field ? number(guess) >= Number(low) && number(guess) <= Number(high) : guess === right);
    const lacks = () => {
      if (!field) return guessed() ? "" : "Choose an answer first; then say how sure you are.";
      return Number.isNaN(number(field.value)) ? "Enter a number first, such as 12, 0.5 or 1e-3; then say how sure you are." : "";
    };

    const guess = (how) => {
      note.textContent = lacks();
      if (field) field.ariaInvalid = String(Boolean(note.textContent));
      if (note.textContent) return inputs[0].focus();
      const made = { guess: guessed(), sure: how, right: isRight(guessed()), on: new Date().toISOString().slice(0, 10) };
      const lasts = kept.write(KEY, { ...kept.read(KEY), [name]: made });
      show(made, lasts);
      answer.open = true;
      verdict.focus({ preventScroll: true });
    };

    // What stands in the place of the buttons, once there is a guess or the answer was looked at.
    const show = (made, lasts = true) => {
      for (const input of inputs) input.disabled = true;
      sure.hidden = true;
      verdict.hidden = false;
      box.classList.add("is-answered");
      for (const choice of choices) mark(choice, made);
      if (!made) return verdict.replaceChildren("You have looked at the answer, so no guess is kept.");
      const asked = low === high ? `It is ${low}.` : `Right is ${low} to ${high}.`;
      const words = [made.right ? "Right. " : "Not right. ", field && !made.right ? `${asked} ` : "", SURE[made.sure] ?? ""];
      const again = Object.assign(make("button", "predict-again", "Take this guess back"), { type: "button", onclick: takeBack });
      const all = Object.assign(make("a", "", "Your predictions"), { href: `${document.documentElement.dataset.content_root ?? ""}chapters/front/predictions.html` });
      const line = make("span", "", sign(made.right), " ", Object.assign(make("strong", "", words[0])), words[1], words[2]);
      verdict.replaceChildren(line, ...(lasts ? [] : [make("span", "", "This browser keeps it as long as the page is open.")]), all, again);
      verdict.dataset.right = made.right;
    };

    const mark = (choice, made) => {
      const row = choice.closest("li"), isAnswer = choice.value === right, yours = made?.guess === choice.value;
      choice.checked = yours;
      row.classList.toggle("is-right", isAnswer);
      row.classList.toggle("is-wrong", yours && !isAnswer);
      if (!isAnswer && !yours) return;
      const words = yours && isAnswer ? "your guess, right" : yours ? "your guess, not right" : "right";
      row.firstElementChild.append(make("span", "predict-mark", sign(isAnswer), ` ${words}`));
    };

    function takeBack() {
      const { [name]: gone, ...rest } = kept.read(KEY);
      kept.write(KEY, rest);
      for (const input of inputs) Object.assign(input, { disabled: false, checked: false });
      if (field) field.value = "";
      for (const row of box.querySelectorAll(".predict-choices li")) row.classList.remove("is-right", "is-wrong");
      for (const old of box.querySelectorAll(".predict-mark")) old.remove();
      box.classList.remove("is-answered");
      [sure.hidden, verdict.hidden, answer.open] = [false, true, false];
      inputs[0].focus();
    }

    for (const button of sure.querySelectorAll("button")) button.addEventListener("click", () => guess(button.value));
    for (const input of inputs) input.addEventListener("input", () => { note.textContent = ""; });
    field?.addEventListener("keydown", (event) => { if (event.key === "Enter") sure.querySelector("button").focus(); });
    answer.querySelector("summary").addEventListener("click", () => { if (!answer.open && verdict.hidden) show(null); });

    const before = kept.read(KEY)[name];
    if (!before) return;
    if (field) field.value = before.guess;
    show({ ...before, right: isRight(String(before.guess)) });
  }
})();
