// Puts the listeners in place; they sit on our own root and know their targets by data attributes.
function start() {
  root.dataset.started = "yes";
  const box = $("#rag-question");
  const composer = $(".composer");
  const actions = {
    fresh() { startAfresh(); },
    arrived: goToArrived,
    panel(button) {
      const listed = root.dataset.panel === "open" && !$(".panel-list").hidden;
      if (listed) { root.dataset.wish = "closed"; closePanel(); return; }
      opener = button;
      openList();
    },
    theme: switchTheme,
    help() { $("#rag-help").showModal(); },
    talks: openTalks,
    name: renameHere,
    link: copyLink,
    review: openReview,
    sign: signInOrOut,
    "sign-no"() { $(".signing").close(); },
    filters() { openFilters($(".filter-panel").hidden); },
    "filters-done"() { openFilters(false); box.focus(); },
    async only() {
      if (!(await setFilters({ ...filters, document: $(".panel-doc").dataset.document }))) return;
      say($(".filtered").textContent);
      writeQuestion();
    },
    async "no-filters"() { await setFilters({}); focusFilter("collection"); },
    list: openList,
    view: switchView,
    previous() { step(-1); },
    next() { step(1); },
    close() { root.dataset.wish = "closed"; closePanel(); },
    async "copy-answer"(button) {
      const turn = turnOf(button);
      const references = turn.citations.map((entry) => `[${entry.n}] ${entry.reference}`);
      await copied(button, [turn.question, asText(turn), ...references].join("\n\n"));
    },
    async copy(button) {
      if (!shown || !shown.entry) return;
      await copied(button, shown.entry.reference);
    },
  };

  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
    composer.classList.toggle("ready", showLength() && box.value.trim() !== "");
  };
  // A question that is too long stays whole, to be shortened by who wrote it.
  const long = $(".too-long");
  const showLength = () => {
    const length = [...box.value.trim()].length; // as the server counts
    const longest = Number(box.dataset.longest);
    const fits = length <= longest;
    long.textContent = fits ? ""
      : `A question has at most ${longest.toLocaleString("en")} characters; this one has ${length.toLocaleString("en")}.`;
    if (long.hidden && !fits) say(long.textContent);
    long.hidden = fits;
    box.setAttribute("aria-invalid", String(!fits));
    return fits;
  };
  const submit = () => {
    if (!showLength()) { say(long.textContent); return; }
    const words = box.value;
    box.value = "";
    grow();
    ask(words);
  };
  // As if it were typed over the draft, so that "undo" brings that back.
  const write = (words) => {
    box.focus();
    box.select();
    if (!document.execCommand("insertText", false, words)) { box.value = words; grow(); }
  };

  root.addEventListener("click", (event) => {
    const button = event.target.closest("button, [data-do]");
    if (!button || !root.contains(button)) return;
    const turn = turnOf(button);
    if (button.dataset.do && actions[button.dataset.do]) actions[button.dataset.do](button);
    else if (button.matches(".cite, .source")) open(turn, "cite", button.dataset.n, button);
    else if (button.matches(".near")) open(turn, "near", button.dataset.near, button);
    else if (button.matches(".document")) openDocument(button.dataset.document, button);
    else if (button.dataset.page) showPage(Number(button.dataset.page));
    else if (button.dataset.jump) jump(button.dataset.jump);
    else if ("ask" in button.dataset) ask(button.dataset.ask, []);
    else if ("again" in button.dataset) ask(turn.question, turn.history || historyBefore(turn));
    else if ("widen" in button.dataset) widen(turn);
    else if (button.dataset.unfilter) removeFilter(button.dataset.unfilter);
    else if (button.dataset.verdict) giveVerdict(turn, button.dataset.verdict);
    else if (button.dataset.other) openOther(turn, button);
    else if (button.dataset.export) exportTalk(button);
    else if (button.matches(".talked")) {
      $(".drawer").close();
      openTalk(button.closest("[data-conversation]").dataset.conversation, { push: true });
    }
    else if ("rename" in button.dataset) renameListed(button.closest("li"));
    else if ("delete" in button.dataset) removeTalk(button.closest("li"));
    else if ("undo" in button.dataset) restoreTalk(button.closest("li"));
    else if ("edit" in button.dataset) write(button.dataset.edit);
    else if ("retry" in button.dataset) {
      $(".reply", turn.node).replaceChildren(make("p", "Reading the documents …", "waiting"));
      settle(turn);
    }
  });
  composer.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  $("#rag-filter").addEventListener("input", (event) => filterDocuments(event.target.value));
  narrow.addEventListener("change", () => {
    for (const part of [$(".talk"), $(".library"), $(".bar")]) {
      part.inert = narrow.matches && root.dataset.panel === "open";
    }
    if (root.dataset.panel === "open") enterSheet();
  });
  const small = matchMedia("screen and (max-width: 560px)");
  const { placeholder } = box;
  const hint = () => { box.placeholder = small.matches ? "Ask a question" : placeholder; };
  small.addEventListener("change", hint);
  hint();
  watchCards();
  watchArrivals();
  watchLibrary();
  watchKeys();
  watchFilters();
  watchTalks();
  watchOwner();
  const theme = store.get("rag-theme");
  if (theme) document.body.classList.toggle("dark", theme === "dark");
  recall();
  keepUp();
  followFirst().then(() => { root.dataset.ready = "yes"; });
  if (!narrow.matches) box.focus({ preventScroll: true });
  showFilters();
}

function open(turn, kind, number, button) {
  const entries = kind === "near" ? turn.nearest : turn.citations;
  const entry = entries.find((one) => one.n === Number(number));
  root.dataset.wish = "open";
  if (entry) openEntry(turn, entry, kind, { from: button });
}

// What differs is no citation of the answer: it is opened as a passage of its own.
function openOther(turn, button) {
  const entry = turn.differs.find((one) => one.n === Number(button.dataset.other));
  const own = { id: `${turn.id}-differs`, node: turn.node, citations: [], nearest: turn.differs };
  root.dataset.wish = "open";
  if (entry) openEntry(own, entry, "near", { from: button });
}

// Cells are parted by tabs, so that a table can be pasted as one; an older turn has its text alone.
function asText(turn) {
  if (!turn.parts || !turn.parts.length) return turn.text;
  return turn.parts.map(({ kind, age, lines }) => {
    const texts = lines.map(({ n, marker, depth, cells }) => (
      (kind === "item" ? `${"  ".repeat(depth)}${marker || "-"} ` : "") + cells.join("\t") + (n ? ` [${n}]` : "")
    ));
    return (age ? `${age}:\n` : "") + texts.join(["row", "item"].includes(kind) ? "\n" : " ");
  }).join("\n\n");
}

async function copied(button, text) {
  await copy(text);
  const label = $("span", button);
  const before = label.textContent;
  if (before === "Copied") return;
  label.textContent = "Copied";
  say(button.dataset.do === "link" ? "Link copied" : "Copied with its reference");
  setTimeout(() => { label.textContent = before; }, 1600);
}

function openList() {
  shown = null;
  openPanel("list");
  $(narrow.matches ? ".panel-list" : "#rag-filter").focus({ preventScroll: true });
}

function jump(id) {
  const pane = $(".panel-doc");
  const target = $$("[id]", pane).find((node) => node.id === id);
  if (!target) return;
  target.scrollIntoView({ block: "start", behavior: still.matches ? "instant" : "smooth" });
  target.focus({ preventScroll: true });
}

function switchTheme() {
  const dark = document.body.classList.toggle("dark");
  store.set("rag-theme", dark ? "dark" : "light");
}

if (root && !root.dataset.started) start();
