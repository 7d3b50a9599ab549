"""What axe does not look for: scripts that answer with a list of faults of an open page, in words; the number before each
is that of the criterion of WCAG 2.2. `look` asks them all on one visit.
"""

from tests.site.site_visit import SETTLE

# 1.1.1: a picture without words. Pictures that a parent speaks for, and those that are hidden, need none.
PICTURES = """() => [...document.querySelectorAll("article :is(img, svg, canvas)")]
  .filter((e) => e.checkVisibility() && !e.parentElement.closest("svg") && !e.closest("[aria-hidden=true], mjx-container, button, a, summary, label"))
  .filter((e) => !e.closest("[role=slider][aria-label], [role=group][aria-describedby]") && !(e.getAttribute("alt") ?? e.getAttribute("aria-label") ?? "").trim())
  .map((e) => "no words for " + e.outerHTML.slice(0, 120))"""

# 1.1.1: a figure that shows numbers, and has no table of them.
TABLES = """() => [...document.querySelectorAll("article .dlw:is(.dlw-curves, .dlw-multiples, .dlw-layers, .dlw-river, .dlw-bowl, .dlw-map, .dlw-scatter, .dlw-views)")]
  .filter((e) => { const box = e.querySelector(".dlw-table"); if (!box) return true; box.open = true; box.dispatchEvent(new Event("toggle"));
    const full = box.querySelectorAll("tbody tr").length >= 2 && [...box.querySelectorAll("tbody td")].every((cell) => cell.textContent.trim()); box.open = false; return !full; })
  .map((e) => "no table of the numbers in " + e.className)"""

# 1.3.1, 2.4.6: one h1, and no level left out on the way down.
HEADINGS = """() => {
  const all = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((h) => h.checkVisibility()).map((h) => [Number(h.tagName[1]), h.textContent.trim().slice(0, 40)]);
  const first = all.filter(([level]) => level === 1).length, faults = first === 1 ? [] : [`one h1 was expected, got ${first}`];
  all.forEach(([level, words], i) => { if (i && level > all[i - 1][0] + 1) faults.push(`h${all[i - 1][0]} is followed by h${level}: ${words}`); });
  return faults;
}"""

# 1.4.4, 1.4.10, 1.4.12: text that its box cuts off, or a page that is wider than the window.
CUT = """() => {
  const faults = [], excess = document.documentElement.scrollWidth - innerWidth;
  if (excess > 0) faults.push(`the page is ${excess} px too wide`);
  for (const e of document.querySelectorAll("main *, header *")) {
    if (e.closest("svg, select, .math, .visually-hidden, .dlw-hidden, .dlbook-still, [aria-hidden=true], .sr-only, .toggle-hidden") || !e.checkVisibility()) continue;
    const style = getComputedStyle(e), hides = (way) => ["hidden", "clip"].includes(way), wide = e.scrollWidth - e.clientWidth, tall = e.scrollHeight - e.clientHeight;
    if (e.clientHeight < 4 || e.clientWidth < 4 || !e.textContent.trim()) continue;
    if ((hides(style.overflowX) && wide > 2) || (hides(style.overflowY) && tall > 3)) {
      faults.push(`${e.tagName.toLowerCase()}.${e.className} cuts ${Math.max(wide, 0)} x ${Math.max(tall, 0)} px of: ${e.textContent.trim().slice(0, 60)}`);
    }
  }
  return faults;
}"""
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""

# 1.4.11: the edge by which a control is known, and each line that carries data, beside what lies next to it: 3 to 1.
EDGES = """() => {
  const rgb = (text) => { const v = text.match(/[\\d.]+/g)?.map(Number) ?? []; return v.length < 3 ? null : [...v.slice(0, 3), v[3] ?? 1]; };
  const light = (c) => { const v = c.slice(0, 3).map((x) => { x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const over = (top, below) => top.slice(0, 3).map((x, i) => x * top[3] + below[i] * (1 - top[3]));
  const ground = (e) => { if (!e) return [255, 255, 255]; const c = rgb(getComputedStyle(e).backgroundColor); return !c || !c[3] ? ground(e.parentElement) : c[3] === 1 ? c.slice(0, 3) : over(c, ground(e.parentElement)); };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const faults = new Set(), note = (e, what, value) => faults.add(`${what} of ${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? e.type ?? ""}: ${value.toFixed(2)} to 1`);
  const CONTROLS = "article :is(input:not([type=radio], [type=checkbox], [type=range], [type=file]), select, textarea), .dlw :is(button, .dlw-radio span), .review-grade, .kept-buttons :is(button, label)";
  for (const e of document.querySelectorAll(CONTROLS)) {
    if (!e.checkVisibility() || e.closest(".visually-hidden") || e.getAttribute("aria-disabled") === "true" || e.disabled) continue;
    const style = getComputedStyle(e), behind = ground(e.parentElement);
    const best = Math.max(ratio(ground(e), behind), parseFloat(style.borderTopWidth) ? ratio(over(rgb(style.borderTopColor), behind), behind) : 1);
    if (best < 3) note(e, "edge", best);
  }
  const DATA = ".dlw-line, .dlw-marker, .dlw-bar, .dlw-course, .dlw-mean, .dlw-floors, .dlw-values path, .dlw-slopes path, .dlw-rim, .dlw-shore, .dlw-tau";
  for (const e of document.querySelectorAll(DATA)) {
    const style = getComputedStyle(e), c = rgb(style.stroke !== "none" ? style.stroke : style.fill), stage = e.closest(".dlw-square, .dlw-stage");
    if (!e.checkVisibility() || !c || e.closest("[aria-pressed=false]")) continue;
    const behind = stage ? ground(stage) : ground(e.closest("div"));
    c[3] *= parseFloat(style.opacity);
    if (ratio(over(c, behind), behind) < 3) note(e, "line", ratio(over(c, behind), behind));
  }
  return [...faults];
}"""

# 2.1.4, 2.5.1, 2.5.7: what is dragged has buttons beside it, too.
DRAGS = """() => [...document.querySelectorAll("main input[type=range]")].filter((e) => e.checkVisibility() && !e.closest(".dlw-track, .dlw-playing, .dlw-steps")?.querySelector("button"))
  .map((e) => "no button beside the slider " + (e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent))"""

# 2.2.2: what moves by itself, on a page that nobody has touched, and has no button that says "pause" in its figure.
MOVING = """async (time) => {
  const moved = new Map(), SEEN = ["d", "transform", "style", "class", "cx", "x", "y"];
  const once = (all) => new Set(all.map(({ target }) => (target.nodeType === 1 ? target : target.parentElement)).filter(Boolean));  // a figure that starts late sets several styles at one moment
  const watch = new MutationObserver((all) => once(all).forEach((e) => moved.set(e, 1 + (moved.get(e) ?? 0))));
  watch.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: SEEN });
  await new Promise((done) => setTimeout(done, time));
  watch.disconnect();
  const endless = document.getAnimations().filter((a) => a.playState === "running" && a.effect.getComputedTiming().endTime === Infinity).map((a) => a.effect.target);
  const still = (e) => matchMedia("(prefers-reduced-motion: reduce)").matches ? false : e.closest(".dlw")?.querySelector("button[aria-label=pause]:not([hidden])");
  const all = [...[...moved].filter(([, times]) => times > 3).map(([e]) => e), ...endless].filter((e) => e.isConnected && e.checkVisibility() && !still(e));
  return [...new Set(all.map((e) => `${e.tagName}.${e.getAttribute("class") ?? ""} moves`))];
}"""

# 2.5.8: targets under 24 px, but for those in a sentence, and for those whose circle of 24 px meets no other target.
TARGETS = """() => {
  const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=slider]")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && !e.closest(".visually-hidden, [aria-hidden=true]"));
  const outer = (e) => (e.matches("input:is([type=radio], [type=checkbox], [type=file])") && e.closest("label")) || e;
  const boxes = all.map((e) => ({ e, box: outer(e).getBoundingClientRect() })).filter(({ box }) => box.width > 1 && box.height > 1);
  const block = (e) => (getComputedStyle(e).display.startsWith("inline") ? block(e.parentElement) : e);
  const inText = (e) => getComputedStyle(e).display.startsWith("inline") && block(e.parentElement).textContent.replace(/\\s+/g, "").length > e.textContent.replace(/\\s+/g, "").length + 3;
  const small = ({ width, height }) => width < 23.99 || height < 23.99;
  return boxes.filter(({ e, box }) => {
    if (!small(box) || inText(e)) return false;
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    return boxes.some(({ e: other, box: b }) => {
      if (other === e || other.contains(e) || e.contains(other)) return false;
      const dx = small(b) ? b.left + b.width / 2 - x : Math.max(b.left - x, x - b.right, 0), dy = small(b) ? b.top + b.height / 2 - y : Math.max(b.top - y, y - b.bottom, 0);
      return Math.hypot(dx, dy) < (small(b) ? 24 : 12) - 0.01;
    });
  }).map(({ e, box }) => `${Math.round(box.width)} x ${Math.round(box.height)} px: ${e.outerHTML.slice(0, 110)}`);
}"""

LANGUAGE = """() => document.documentElement.lang === "en" ? [] : ["the page's language is " + (document.documentElement.lang || "not said")]"""

# 2.4.7, 2.4.11: what has the focus: whether a ring says so, and whether any of it can be seen. Nine points are asked what lies on top.
FOCUSED = """async (number) => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const speaker = e.closest(".sd-card") || (e.matches("input:is([type=radio], [type=checkbox], [type=file])") && e.closest("label")) || e;
  const part = [0.1, 0.5, 0.9], on = (r) => part.some((u) => part.some((v) => { const top = document.elementFromPoint(r.left + u * r.width, r.top + v * r.height);
    return top && (speaker.contains(top) || top.contains(speaker)); }));
  const seen = () => [...speaker.getClientRects()].some((r) => r.width && r.height && r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth && on(r));
  for (let tries = 0; tries < 8 && !seen(); tries++) await new Promise((done) => setTimeout(done, 50));  // a link that slides into the page
  const ringed = (style) => style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1.5;
  const places = [e, speaker, e.nextElementSibling, e.closest(".dlw-stage"), e.closest("label")].filter(Boolean);
  const rings = places.some((one) => ringed(getComputedStyle(one))) || ringed(getComputedStyle(e, "::after"));
  const again = e.closest("#hover-card");  // one card for all words that have one
  const before = again || e.dataset.stop === undefined ? null : Number(e.dataset.stop);
  e.dataset.stop ??= number;
  return { before, words: e.outerHTML.slice(0, 110), seen: seen(), rings };
}"""
# 1.4.10: a formula that is wider than a telephone fades where it goes on, and scrolls.
FORMULAS = """() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  return new Promise((done) => setTimeout(() => done([...document.querySelectorAll("article div.math")].flatMap((block) => {
    const formula = block.querySelector("mjx-container"), number = block.querySelector(".eqno"), faults = [];
    const box = formula.getBoundingClientRect(), name = block.id || formula.textContent.slice(0, 40);
    if (!box.width) return [];  // in an answer that is folded
    if (number) {
      const own = number.getBoundingClientRect();
      const apart = own.left >= box.right || own.right <= box.left || own.top >= box.bottom || own.bottom <= box.top;
      if (!apart) faults.push(`${name}: its number lies on it`);
      if (own.right > innerWidth || own.left < 0) faults.push(`${name}: its number is outside`);
    }
    const wide = formula.scrollWidth > formula.clientWidth + 1;
    const faded = getComputedStyle(formula).maskImage !== "none";
    if (wide && !faded) faults.push(`${name}: cut without a sign`);
    if (!wide && faded) faults.push(`${name}: faded, and whole`);
    if (wide && formula.tabIndex !== 0) faults.push(`${name}: the keyboard does not reach it`);
    const math = formula.firstElementChild.getBoundingClientRect();
    if (!wide && (math.right > box.right + 1 || math.left < box.left - 1)) faults.push(`${name}: cut, and does not scroll`);
    return faults;
  })), 200));
}"""
ROLES = {
    "button",
    "link",
    "slider",
    "textbox",
    "searchbox",
    "combobox",
    "checkbox",
    "radio",
    "progressbar",
}
PHONE, DESK, ZOOMED, NARROW = (
    (390, 844),
    (1400, 900),
    (640, 450),
    (320, 256),
)  # the last two: 1280 x 1024 at 200 % and 400 %
WALKS = {"desk": "Shift+Tab", "telephone": "Tab"}  # where the focus goes through the page, and with which key


def tab_through(page, key, most=1500):
    """Faults on the way of the focus through the page with one key, until it has left it: what cannot be seen, and a trap."""
    faults = []
    page.evaluate("document.querySelectorAll('[data-stop]').forEach((e) => delete e.dataset.stop)")
    page.evaluate("document.activeElement?.blur()")
    others = page.locator("a[href]:visible, button:visible, input:visible").count() > 1
    for number in range(most):
        page.keyboard.press(key)
        stop = page.evaluate(FOCUSED, number)
        if stop is None or (stop["before"] == 0 and (number > 1 or not others)):  # round to where it began
            return faults
        if stop["before"] is not None:
            return [*faults, f"{key} comes back to {stop['words']}"]
        faults += [f"{key}: under something: {stop['words']}"] * (not stop["seen"])
        faults += [f"{key}: no ring around {stop['words']}"] * (not stop["rings"])
    return [*faults, f"{key} does not leave the page"]


def nameless(page):
    """4.1.2: controls to which the browser gives no name."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [
        f"a {node['role']['value']} without a name"
        for node in tree
        if not node.get("ignored")
        and node["role"]["value"] in ROLES
        and not node.get("name", {}).get("value")
    ]


def resize(page, size):
    """Give the page another window, and the moment that it needs to be still in it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_timeout(400)


def cut(page, css):
    """What is cut off with one more style sheet."""
    sheet = page.add_style_tag(content=css)
    page.wait_for_timeout(300)
    found = page.evaluate(CUT)
    sheet.evaluate("(sheet) => sheet.remove()")
    return found


def at_first(page):
    """What is asked of a page in a wide window, as it opens, and in the dark."""
    found = {"moving": page.evaluate(MOVING, 1200)}
    scripts = {
        "pictures": PICTURES,
        "tables": TABLES,
        "headings": HEADINGS,
        "drags": DRAGS,
        "language": LANGUAGE,
    }
    found |= {name: page.evaluate(script) for name, script in scripts.items()}
    found["names"] = nameless(page)
    found["edges"] = page.evaluate(EDGES)
    page.emulate_media(color_scheme="dark")
    found["edges, dark"] = page.evaluate(EDGES)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return found


def in_windows(page, walks):
    """What is asked again in one window after the other, with the focus and with larger letters."""
    found = {"targets": page.evaluate(TARGETS)}
    if "desk" in walks:
        found["focus, desk"] = tab_through(page, WALKS["desk"])
    found["spacing"] = cut(page, SPACING)
    found["letters of 200 %"] = cut(page, "html { font-size: 200% !important; }")
    for name, size in {"200 %": ZOOMED, "400 %": NARROW}.items():
        resize(page, size)
        found[f"window at {name}"] = page.evaluate(CUT)
        found[f"targets at {name}"] = page.evaluate(TARGETS)
    found["spacing at 400 %"] = cut(page, SPACING)
    resize(page, PHONE)
    if "telephone" in walks:
        found["focus, telephone"] = tab_through(page, WALKS["telephone"])
    return found | {"formulas": page.evaluate(FORMULAS)}


def look(browser, address, path, walks=tuple(WALKS)):
    """All faults of a page, by what was looked for; one visit in many windows, and a short one with reduced motion.

    walks: the windows in which the focus goes through the whole page.
    """
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]})
    page = context.new_page()
    try:
        page.goto(f"{address}/{path}")
        page.evaluate(SETTLE)
        found = at_first(page) | in_windows(page, walks)
        page.reload()
        page.evaluate(SETTLE)
        found["moving, reduced"] = page.evaluate(MOVING, 800)
    finally:
        context.close()
    return {name: faults for name, faults in found.items() if faults}
