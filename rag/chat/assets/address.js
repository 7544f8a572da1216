// The address: which view, which conversation, which filters; and what "back" leads to.
let below = ""; // the address under the sheet of a small screen, while that has an entry of its own
let leaving = false; // that entry is being left because the sheet was closed

const onSheet = () => Boolean(history.state && history.state.sheet);

// In full: what starts with "#" would be taken to follow Gradio's <base>, and lose the query.
function addressNow() {
  const query = new URLSearchParams(location.search);
  if (lib.view === "library") query.set("view", "library");
  else query.delete("view");
  const link = new URLSearchParams(talk.saved ? { c: talk.id } : {});
  for (const kind of KINDS) if (filters[kind]) link.set(kind, filters[kind]);
  const after = (sign, parts) => (String(parts) ? sign + parts : "");
  return location.pathname + after("?", query) + after("#", link);
}

function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const found = {};
  for (const kind of KINDS) if (parts.get(kind)) found[kind] = parts.get(kind);
  return { id: parts.get("c") || "", owner: parts.get("owner") || "", filters: found };
}

// With `push`, "back" leads to what was there before. `here` tells an older address of the
// conversation that is open from that of another one which had not begun.
function writeLink({ push = false } = {}) {
  const address = addressNow();
  const moves = push && address !== location.pathname + location.search + location.hash;
  const state = { here: talk.here, sheet: onSheet() && !moves };
  history[moves ? "pushState" : "replaceState"](state, "", address);
}

function enterSheet() {
  if (!narrow.matches || leaving || onSheet()) return;
  below = location.href;
  history.pushState({ ...history.state, sheet: true }, "", below);
}

// However the sheet was closed: "back" must not be needed once more for it.
function leaveSheet() {
  if (!onSheet() || leaving) return;
  leaving = true;
  history.back();
}

async function wentBack() {
  if (leaving) {
    leaving = false;
    below = "";
    writeLink(); // What was chosen on the sheet is not in the address under it.
    if (root.dataset.panel === "open") enterSheet();
    return;
  }
  if (onSheet()) { // Forward again: what it showed is gone.
    if (root.dataset.panel !== "open") leaveSheet();
    return;
  }
  if (below) {
    const under = location.href === below;
    below = "";
    closePanel();
    if (under) { writeLink(); return; }
  }
  setView(viewInAddress(), { push: false });
  await follow();
}

// The link in the address bar says which conversation, and which filters.
async function follow(link = readLink()) {
  const { here = "" } = history.state || {};
  if (link.owner) { await followOwner(link.owner); return; }
  if (link.id && keeping()) {
    if (link.id !== talk.id) await openTalk(link.id, { wanted: link.filters });
    else await setFilters(link.filters);
    return;
  }
  if (here && here !== talk.here && keeping()) {
    clearTalk();
    talk.here = here;
    await setFilters(link.filters);
  } else if (Object.keys(link.filters).length) await setFilters(link.filters);
  else writeLink(); // An address to go back to can be older than what has been asked since.
}

// The page was opened, or loaded again: then a sheet is closed, and its entry goes with it.
async function followFirst() {
  const link = readLink();
  talk.here = (history.state && history.state.here) || talk.here;
  addEventListener("popstate", wentBack);
  if (onSheet()) {
    leaveSheet();
    await new Promise((done) => {
      addEventListener("popstate", done, { once: true });
      setTimeout(done, 1000);
    });
    leaving = false;
  }
  await follow(link);
}
