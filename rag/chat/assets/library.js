// The library: which documents there are, and what state they are in. The rows come from the
// server, already chosen and sorted, so that ten thousand documents are no heavier than ten.
const lib = {
  view: "talk", words: "", collection: null, state: null, column: "title", descending: false,
  limit: 100, asked: 0, known: null, timer: 0, again: 0, opened: false,
};
const LIB_STATES = { indexed: "Indexed", waiting: "Waiting", failed: "Failed", skipped: "Skipped" };
const LIB_SORTS = {
  title: "Title", collection: "Collection", published: "Published", effective_date: "Effective",
  review_date: "Review", pages: "Pages", size: "Size", state: "State",
};
const LIB_DOWN_FIRST = ["published", "effective_date", "pages", "size"];

const libCall = (name, payload = {}) => call(name, { token: ownerToken, ...payload });

// Which of the two views is shown is part of the address, so that a reload and "back" keep it.
function setView(view, { push = true } = {}) {
  const library = view === "library";
  const changed = lib.view !== view;
  lib.view = view;
  root.dataset.view = view;
  $(".talk").hidden = library;
  $(".library").hidden = !library;
  for (const button of $$(".views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  if (changed && push) writeLink({ push });
  if (changed) foldPanel(library);
  if (library) showLibrary();
  else hideIfSeen();
}

// A quotation that is open makes room for the table, and is there again on the way back.
let folded = null;
function foldPanel(library) {
  if (!library) {
    const { turn, entry, kind, from } = folded || {};
    folded = null;
    if (turns.includes(turn) && !narrow.matches) openEntry(turn, entry, kind, { focus: false, from });
    else if (narrow.matches) closePanel();
    return;
  }
  folded = shown && shown.turn && { ...shown, from: opener };
  opener = null; // It is out of sight: the focus stays where it is.
  closePanel();
}

async function showLibrary({ quiet = true, focus = null } = {}) {
  const asked = lib.asked += 1;
  const { words, collection, state, column, descending, limit } = lib;
  const reply = await libCall("library_list", {
    words, collection, state, column, descending, limit,
  });
  if (asked !== lib.asked) return;
  const problem = $(".lib-problem");
  problem.textContent = reply.error || reply.problem || "";
  problem.hidden = !problem.textContent;
  clearTimeout(lib.again);
  if (reply.error) {
    if (!lib.known) $(".lib-none").hidden = true;
    lib.again = setTimeout(() => { if (lib.view === "library") showLibrary(); }, 5000);
    return;
  }
  lib.known = reply;
  if (ownerToken && reply.sign === "in") setOwner(""); // It is over: twelve hours have passed.
  showRows(reply);
  showFound(reply);
  showTools(reply);
  followBuild(reply.build, reply.waiting);
  if (!quiet) say(`${reply.total.toLocaleString("en")} found`);
  if (focus) focus();
  if (!lib.opened && root.dataset.generation !== reply.generation) refresh();
  lib.opened = true;
}

function showRows(reply) {
  const table = $(".lib-table");
  const empty = reply.all === 0;
  table.hidden = reply.total === 0;
  $("tbody", table).innerHTML = reply.html;
  $("table", table).className = Object.keys(LIB_SORTS)
    .filter((name) => ["collection", "published", "effective_date", "review_date", "pages"].includes(name)
      && !reply.columns.includes(name)).map((name) => `no-${name}`).join(" ");
  for (const button of $$("th button", table)) {
    const mine = button.dataset.sort === lib.column;
    button.closest("th").setAttribute(
      "aria-sort", mine ? (lib.descending ? "descending" : "ascending") : "none",
    );
  }
  const more = $(".lib-more");
  more.hidden = reply.shown >= reply.total;
  $("p", more).textContent = `${reply.shown.toLocaleString("en")} of ${reply.total.toLocaleString("en")}`;
  const none = $(".lib-none");
  none.hidden = empty || reply.total > 0;
  none.textContent = "No document is like that.";
  $(".lib-find").hidden = empty;
  $(".lib-empty").hidden = !empty;
  $(".lib-empty .tool").hidden = !reply.may;
  $(".lib-empty .lead").textContent = reply.may
    ? "Nothing here yet. Drop documents onto this page, or choose them; after a rebuild they can be asked about."
    : "Nothing here yet. Documents that are put into the corpus folder appear here, and can be asked about after the next build.";
}

function showFound(reply) {
  $(".lib-count").textContent = reply.counted;
  $(".lib-built").textContent = reply.built ? `indexed ${reply.built}` : "";
  $("[data-lib=changes]").hidden = !reply.built;
  const states = [["", "All"], ...Object.entries(LIB_STATES)];
  const sum = Object.values(reply.states).reduce((one, other) => one + other, 0);
  const buttons = states.map(([state, label]) => {
    const number = state ? reply.states[state] : sum;
    const button = make("button", "", `pill s-${state || "all"}`);
    button.type = "button";
    button.dataset.state = state;
    button.setAttribute("aria-pressed", String((lib.state || "") === state));
    button.hidden = state !== "" && number === 0 && lib.state !== state;
    button.append(make("span", label), " ", make("span", number.toLocaleString("en"), "n"));
    return button;
  });
  const box = $(".lib-states");
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.state : null;
  box.replaceChildren(...buttons);
  if (focused !== null) buttons.find((button) => button.dataset.state === focused).focus();
  options($(".lib-collection"), [
    ["*", "All collections"],
    ...reply.collections.map((name) => [`=${name}`, name || "No collection"]),
  ], lib.collection === null ? "*" : `=${lib.collection}`);
  $(".lib-collection").parentNode.hidden = reply.collections.length < 2;
  options($(".lib-sorting"), Object.entries(LIB_SORTS).filter(
    ([name]) => ["title", "size", "state"].includes(name) || reply.columns.includes(name),
  ).flatMap(([name, label]) => [[`${name}+`, `${label} ↑`], [`${name}-`, `${label} ↓`]]),
  `${lib.column}${lib.descending ? "-" : "+"}`);
}

function options(select, entries, value) {
  const now = JSON.stringify(entries);
  if (select.dataset.made !== now) {
    select.dataset.made = now;
    select.replaceChildren(...entries.map(([key, label]) => {
      const option = make("option", label);
      option.value = key;
      return option;
    }));
  }
  select.value = value;
}

function showTools(reply) {
  for (const name of ["rebuild", "choose"]) $(`.lib-tools [data-lib=${name}]`).hidden = !reply.may;
  const sign = $("[data-lib=sign]");
  sign.hidden = !reply.sign;
  $("span", sign).textContent = reply.sign === "out" ? "Sign out" : "Sign in as owner";
  $(".lib-chooser").accept = reply.limits.kinds.join(",");
  const limits = $(".lib-limits");
  limits.hidden = !reply.may && Boolean(reply.sign);
  limits.textContent = !reply.may ? reply.barred : `Takes ${reply.limits.kinds.map((kind) => kind.slice(1)).join(", ")}; ${reply.limits.words}.`;
  $("#rag-folders").replaceChildren(...reply.folders.map((name) => {
    const option = make("option");
    option.value = name;
    return option;
  }));
}

function sortBy(column, descending) {
  Object.assign(lib, { column, descending, limit: 100 });
  showLibrary();
  say(`Sorted by ${LIB_SORTS[column].toLowerCase()}, ${descending ? "descending" : "ascending"}`);
}

function askToDelete(button) {
  const dialog = $(".lib-ask");
  $(".lib-doomed").replaceChildren(make("strong", button.dataset.title), make("bdi", button.dataset.id, "path"));
  dialog.returnValue = "no";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "yes") return;
    const row = button.closest("tr");
    const at = $$("tbody tr").indexOf(row);
    row.classList.add("going");
    const reply = await libCall("library_delete", { document: button.dataset.id });
    if (reply.error) { row.classList.remove("going"); tellProblem(reply.error); return; }
    say(`${button.dataset.title} was deleted`);
    await showLibrary({
      focus() {
        const rows = $$("tbody tr");
        const next = rows[Math.min(at, rows.length - 1)];
        ((next && $("button", next)) || $("#rag-library-title")).focus({ preventScroll: true });
      },
    });
  };
  dialog.showModal();
  $("button", dialog).focus();
}

// It stands for a while, unless the list is seen to be right before that.
function tellProblem(words) {
  const problem = $(".lib-problem");
  problem.textContent = words;
  problem.hidden = false;
  say(words);
  clearTimeout(lib.again);
  lib.again = setTimeout(() => { if (lib.view === "library") showLibrary(); }, 10_000);
}

function watchLibrary() {
  const page = $(".library");
  const actions = {
    delete: askToDelete, sign: signInOrOut, rebuild: startBuild, "rebuild-now": startBuild, stop: stopBuild,
    dismiss: dismissBuild, changes: showChanges, choose() { $(".lib-chooser").click(); },
    "uploads-done": closeUploads, "replace-all": replaceAll,
    async more(button) {
      const before = $$("tbody tr", page).length;
      lib.limit += 200;
      await showLibrary();
      const next = $$("tbody tr", page)[before];
      if (next) ($("button", next) || button).focus({ preventScroll: true });
    },
  };
  $(".views").addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (button) setView(button.dataset.view);
  });
  page.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (actions[button.dataset.lib]) actions[button.dataset.lib](button);
    else if ("state" in button.dataset) {
      Object.assign(lib, { state: button.dataset.state || null, limit: 100 });
      showLibrary({ quiet: false });
    } else if (button.dataset.sort) {
      const { sort } = button.dataset;
      const down = sort === lib.column ? !lib.descending : LIB_DOWN_FIRST.includes(sort);
      sortBy(sort, down);
    } else if (button.dataset.upload) answerUpload(button);
    else if (button.matches(".document")) {
      for (const other of $$(".title[aria-current]", page)) other.removeAttribute("aria-current");
      button.setAttribute("aria-current", "true"); // Until the panel is closed.
    }
  });
  $("#rag-lib-search").addEventListener("input", (event) => {
    clearTimeout(lib.timer);
    lib.timer = setTimeout(() => {
      Object.assign(lib, { words: event.target.value, limit: 100 });
      showLibrary({ quiet: false });
    }, 180);
  });
  $(".lib-collection").addEventListener("change", ({ target }) => {
    Object.assign(lib, { collection: target.value === "*" ? null : target.value.slice(1), limit: 100 });
    showLibrary({ quiet: false });
  });
  $(".lib-sorting").addEventListener("change", ({ target }) => {
    sortBy(target.value.slice(0, -1), target.value.endsWith("-"));
  });
  watchUploads(page);
  // Before the page's own keys: here "/" goes to the search, and digits open nothing.
  document.addEventListener("keydown", (event) => {
    if (lib.view !== "library" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (store.get("rag-keys") === "off" || $("dialog[open]")) return;
    if (event.target.matches("input, textarea, select")) return;
    if (event.key === "/" || /^[1-9]$/.test(event.key)) event.preventDefault();
    if (event.key === "/") $("#rag-lib-search").focus();
  });
  // What belongs to the conversation leads back to it; its address follows with what is opened.
  root.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=fresh], .talked")) setView("talk", { push: false });
  }, true);
  setView(viewInAddress(), { push: false });
}

const viewInAddress = () => (
  new URL(location.href).searchParams.get("view") === "library" ? "library" : "talk"
);
