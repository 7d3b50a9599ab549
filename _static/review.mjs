// The review: the cards that are due, one at a time, by hand or by keyboard. When a card comes back is computed by FSRS
// (vendor/ts-fsrs). All that is known of a reader stays in the browser. A deferred script, as wide.mjs is; without it the page
// is a list of all cards.
(() => {
  const { KEY, read, write, choose, day, inWords } = window.dlbookReview;
  const kept = window.dlbookKept;
  const NEW_A_DAY = 20;
  const GRADES = ["Again", "Hard", "Good", "Easy"];
  const scheduler = FSRS.fsrs({ request_retention: 0.9, maximum_interval: 3650, enable_fuzz: false, enable_short_term: false });
  const stage = document.querySelector(".review-stage");
  const make = (kind, className, ...inside) => {
    const made = Object.assign(document.createElement(kind), { className });
    made.append(...inside);
    return made;
  };
  const button = (className, onclick, ...inside) => Object.assign(make("button", className, ...inside), { type: "button", onclick });
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const chapters = [...document.querySelectorAll("details.review-cards")].map((group) => ({
    group, page: group.dataset.page, title: group.querySelector(".review-title").textContent,
    cards: [...group.querySelectorAll(".review-card")].map((card) => ({ name: card.dataset.name, card })),
  }));
  const said = make("p", "review-said");
  said.role = "status";
  const board = make("div", "review-board");
  stage.append(board, said);

  // What is kept of a card, or null for one that was never asked or cannot be read.
  const known = (state, name) => {
    const card = state.cards[name];
    return card && Number.isFinite(Date.parse(card.due)) && card.stability > 0 ? card : null;
  };

  // The cards to ask today: those that are due, the longest waiting first, and then new ones, in the order of the book.
  const today = (state) => {
    const chosen = chapters.filter(({ page }) => state.chapters[page]);
    const all = chosen.flatMap(({ title, cards }) => cards.map((one) => ({ ...one, title, before: known(state, one.name) })));
    const due = all.filter(({ before }) => before && day(new Date(before.due)) <= day());
    due.sort((a, b) => Date.parse(a.before.due) - Date.parse(b.before.due));
    const fresh = all.filter(({ before }) => !before);
    const left = Math.max(0, NEW_A_DAY - (state.begun[day()] ?? 0));
    const later = all.filter(({ before }) => before && day(new Date(before.due)) > day()).map(({ before }) => day(new Date(before.due))).sort();
    return { chosen, due, fresh: fresh.slice(0, left), waiting: fresh.length - Math.min(left, fresh.length), later };
  };

  // Keep a grade. Only the first one of a day moves the date: what is asked again the same day is practice.
  const grade = (one, rating) => {
    const state = read(), before = known(state, one.name);
    if (before && day(new Date(before.last_review)) === day()) return true;
    state.cards[one.name] = scheduler.next(before ?? FSRS.createEmptyCard(), new Date(), rating).card;
    if (!before) state.begun = { [day()]: (state.begun[day()] ?? 0) + 1 };
    return write(state);
  };

  const interval = (one, rating) => {
    const before = known(read(), one.name);
    if (before && day(new Date(before.last_review)) === day()) return rating === 1 ? "once more" : "as set today";
    const days = scheduler.next(before ?? FSRS.createEmptyCard(), new Date(), rating).card.scheduled_days;
    return days === 1 ? "tomorrow" : days < 60 ? `${days} days` : days < 700 ? `${Math.round(days / 30.4)} months` : `${Math.round(days / 365)} years`;
  };

  // A part of a card, copied without its places, to be shown on the stage.
  const copied = (element, className) => {
    const copy = make("div", className, ...[...element.childNodes].map((node) => node.cloneNode(true)));
    for (const inside of copy.querySelectorAll("[id]")) inside.removeAttribute("id");
    copy.tabIndex = -1;
    return copy;
  };

  function overview() {
    board.onkeydown = null;
    const { chosen, due, fresh, waiting, later } = today(read()), queue = [...due, ...fresh];
    const start = () => { said.textContent = ""; ask(queue, 0, queue.length); };
    if (!chosen.length) return board.replaceChildren(make("p", "review-lead", "No chapter is in your review yet."), make("p", "", "When you have read a chapter, press the button below its cards, or choose it in the list here."));
    if (queue.length) {
      const kinds = [due.length ? `${due.length} due` : "", fresh.length ? `${fresh.length} new` : ""].filter(Boolean).join(", ");
      return board.replaceChildren(make("p", "review-lead", `${plural(queue.length, "card")} today: ${kinds}.`), button("review-start", start, "Begin"));
    }
    const next = later.length ? `The next ${later.filter((date) => date === later[0]).length === 1 ? "card comes" : "cards come"} on ${inWords(later[0])}.` : "";
    const more = waiting ? ` ${plural(waiting, "new card")} ${waiting === 1 ? "waits" : "wait"} for tomorrow: ${NEW_A_DAY} a day are enough.` : "";
    board.replaceChildren(make("p", "review-lead", "Nothing is due today."), make("p", "", next + more));
  }

  // Ask the first card of a queue. done, count: how far one is; a card that is asked again is not counted twice.
  function ask(queue, done, count) {
    const [one, ...rest] = queue;
    if (!one) return end(count);
    const question = copied(one.card.querySelector("summary"), "review-question"), reply = copied(one.card.querySelector(".review-reply"), "review-reply");
    const bar = Object.assign(document.createElement("progress"), { max: count, value: done, ariaLabel: "Cards done" });
    const buttons = make("div", "review-buttons");
    const next = (rating) => {
      const lasts = grade(one, rating);
      said.textContent = lasts ? "" : "This browser keeps nothing: what you grade is lost with the page.";
      list();
      if (rating === 1) ask([...rest, one], done, count);  // it is asked once more before the end
      else ask(rest, done + 1, count);
    };
    const open = () => {
      reply.hidden = false;
      buttons.replaceChildren(...GRADES.map((words, i) => button("review-grade", () => next(i + 1), make("kbd", "", String(i + 1)), make("span", "", words), make("small", "", interval(one, i + 1)))));
      reply.focus({ preventScroll: true });
    };
    reply.hidden = true;
    buttons.append(button("review-show", open, "Show the answer ", make("kbd", "", "space")));
    const where = make("p", "review-where", one.title, make("span", "", `${Math.min(done + 1, count)} of ${count}`));
    const sheet = make("div", "review-sheet", question, reply);
    const stop = button("review-stop", () => { overview(); board.querySelector("button")?.focus(); }, "Stop for now");
    board.replaceChildren(where, bar, sheet, buttons, stop);
    board.onkeydown = (event) => {  // only what has the focus on the stage gets here
      const shows = event.key === " " && reply.hidden && !event.target.closest("button, a"), grades = /^[1-4]$/.test(event.key) && !reply.hidden;
      if (event.ctrlKey || event.metaKey || event.altKey || !(shows || grades)) return;
      event.preventDefault();
      if (shows) open();
      else next(Number(event.key));
    };
    question.focus({ preventScroll: true });
  }

  function end(count) {
    overview();
    said.textContent = `${plural(count, "card")} done.`;
    const lead = board.querySelector(".review-lead");
    lead.tabIndex = -1;
    lead.focus({ preventScroll: true });
  }

  // Above each chapter's cards: whether they are asked, how many were, and how many are due.
  const rows = chapters.map(({ group, page, cards, title }) => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", autocomplete: "off" });
    const told = make("span", "review-count");
    group.before(make("label", "review-choose", box, make("span", "", make("span", "review-title", title), " ", told)));
    group.querySelector("summary").replaceChildren("All cards", make("span", "visually-hidden", ` of ${title}`));
    box.addEventListener("change", () => { choose(page, box.checked); overview(); list(); });
    return { box, told, page, cards };
  });
  function list() {
    const state = read(), due = new Set(today(state).due.map(({ name }) => name));
    for (const { box, told, page, cards } of rows) {
      const begun = cards.filter(({ name }) => known(state, name)).length, now = cards.filter(({ name }) => due.has(name)).length;
      box.checked = Boolean(state.chapters[page]);
      told.textContent = box.checked ? `${begun} of ${cards.length} asked so far${now ? `, ${now} due` : ""}` : `${plural(cards.length, "card")}, not in your review`;
    }
  }

  // Everything that is kept, as a file, and back from a file.
  function carry() {
    const out = button("", () => {
      const file = new Blob([JSON.stringify(kept.read(KEY), null, 1)], { type: "application/json" });
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `dlbook-review-${day()}.json` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }, "Export my review");
    const input = Object.assign(document.createElement("input"), { type: "file", accept: "application/json", className: "visually-hidden" });
    input.addEventListener("change", async () => {
      let found = null;
      try { found = JSON.parse(await input.files[0].text()); } catch { /* told below */ }
      const fits = found && typeof found.chapters === "object" && typeof found.cards === "object";
      if (fits) { write(found); overview(); list(); }
      said.textContent = fits ? "Your review was imported." : "Expected a file that 'Export my review' has written, got another one; nothing was changed.";
      input.value = "";
    });
    const buttons = make("div", "kept-buttons", out, " ", make("label", "", "Import", input));
    const forget = () => { kept.forget(KEY); overview(); list(); said.textContent = "Your review was deleted."; fresh(); };
    const place = make("div", "review-carry");
    const fresh = () => place.replaceChildren(buttons, kept.deleteButton("Delete my review", forget));
    fresh();
    document.querySelector(".review-deck")?.closest("p").after(place);
  }

  overview();
  list();
  carry();
})();
