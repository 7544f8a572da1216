// The source panel: a list of documents, or one document with its quotations marked.
const sources = new Map();
let shown = null; // { turn, entry, kind } of the quotation that is open
let opener = null; // where the focus goes back to
let read = {}; // the reply that the pane shows

function marksOf(turn, documentId, kind) {
  const entries = turn ? (kind === "near" ? turn.nearest : turn.citations) : [];
  return entries.filter((entry) => entry.document === documentId)
    .map(({ n, start, end, sha256, quote }) => ({ n, start, end, sha256, quote, kind }));
}

function fetchSource(turn, documentId, kind) {
  const key = [root.dataset.generation, turn ? turn.id : "", kind, documentId].join("\n");
  if (!sources.has(key)) {
    const marks = marksOf(turn, documentId, kind);
    sources.set(key, call("source", { document: documentId, marks }).then((reply) => {
      if (reply.error) sources.delete(key);
      return { ...reply, key, documentId, marks };
    }));
  }
  return sources.get(key);
}

function openPanel(view) {
  root.dataset.panel = "open";
  $("[data-do=panel]").setAttribute("aria-expanded", String(view === "list"));
  leavePages();
  $(".panel-list").hidden = view !== "list";
  $(".panel-doc").hidden = view !== "doc";
  if (view === "list") $("[data-do=view]").hidden = true;
  for (const name of ["list", "only"]) $(`[data-do=${name}]`).hidden = view === "list";
  $(".panel-title").hidden = view !== "list";
  for (const part of [$(".talk"), $(".library"), $(".bar")]) part.inert = narrow.matches;
  if (view === "list") showPlace(null);
  enterSheet();
}

function closePanel({ focus = true } = {}) {
  if (root.dataset.panel !== "open") return false;
  root.dataset.panel = "closed";
  $("[data-do=panel]").setAttribute("aria-expanded", "false");
  for (const part of [$(".talk"), $(".library"), $(".bar")]) part.inert = false;
  for (const node of $$("[aria-current]")) node.removeAttribute("aria-current");
  shown = null;
  if (focus && opener && opener.isConnected) opener.focus({ preventScroll: true });
  leaveSheet();
  return true;
}

const textOf = (node) => node.textContent;

function showPlace(entry) {
  const line = $(".where-now");
  const group = shown && shown.turn
    ? (shown.kind === "near" ? shown.turn.nearest : shown.turn.citations) : [];
  $(".stepper").hidden = !entry || group.length < 2;
  $(".panel-bar [data-do=copy]").hidden = !entry || !entry.reference;
  line.hidden = !entry;
  if (!entry) return;
  const word = shown.kind === "near" ? "passage" : "quotation";
  $(".step").textContent = `${entry.n} of ${group.length}`;
  $("[data-do=previous]").disabled = entry.n <= 1;
  $("[data-do=next]").disabled = entry.n >= group.length;
  line.replaceChildren(
    make("b", String(entry.n)),
    make("strong", entry.title),
    [entry.place && ` › ${entry.place}`, entry.date].filter(Boolean).join(" · "),
  );
  line.title = `${word} ${entry.n}: ${[...line.childNodes].slice(1).map(textOf).join("")}`;
}

// Returns the parts of the quotation that are in the document.
function markActive(entry, kind) {
  const pane = $(".panel-doc");
  for (const node of $$("mark.active, .lost", pane)) {
    if (node.matches(".lost")) node.remove();
    else node.classList.remove("active");
  }
  const parts = $$(`mark.m-${kind}[data-n="${entry.n}"]`, pane);
  for (const node of parts) node.classList.add("active");
  if (!parts.length && read.moved) tellLost(entry, kind);
  return parts;
}

function tellLost(entry, kind) {
  const pane = $(".panel-doc");
  const word = kind === "near" ? "passage" : "quotation";
  const bare = (words) => words.replace(/\s+/g, " ");
  const there = bare(pane.textContent).includes(bare(entry.shown));
  const line = make("p", there
    ? `The words of this ${word} are still in it, but not marked: more than once, or in another form.`
    : `This ${word} is no longer in it. The document said: “${entry.shown}”`, "standing lost");
  $(".doc-head", pane).append(line);
}

function activate(entry, kind, smooth) {
  const pane = $(".panel-doc");
  const parts = markActive(entry, kind);
  const target = parts[0] || $(".doc-title", pane);
  if (!target) return;
  const offset = target.getBoundingClientRect().top - pane.getBoundingClientRect().top;
  pane.scrollTo({
    top: parts.length ? pane.scrollTop + offset - pane.clientHeight * 0.28 : 0,
    behavior: smooth && !still.matches ? "smooth" : "instant",
  });
}

function light(turn, entry, kind) {
  for (const node of $$("[aria-current]")) node.removeAttribute("aria-current");
  const attribute = kind === "near" ? "data-near" : "data-n";
  for (const node of $$(`button[${attribute}]`, turn.node)) {
    const first = Number(node.getAttribute(attribute));
    const last = Number(node.dataset.last || first); // A line of the sources can stand for several.
    if (first <= entry.n && entry.n <= last) node.setAttribute("aria-current", "true");
  }
}

async function openEntry(turn, entry, kind, { focus = true, from = null } = {}) {
  const pane = $(".panel-doc");
  const mine = shown = { turn, entry, kind };
  if (from) opener = from;
  hideCard();
  openPanel("doc");
  light(turn, entry, kind);
  showPlace(entry);
  const pending = fetchSource(turn, entry.document, kind);
  const slow = setTimeout(() => skeleton(pane), 150);
  const reply = await pending;
  clearTimeout(slow);
  if (shown !== mine) return;
  const same = pane.dataset.key === reply.key;
  if (!same) showDocument(reply);
  if (reply.error) return;
  activate(entry, kind, same);
  const view = await showAsWanted(entry.page);
  view.setAttribute("aria-label", ["Source", entry.n, entry.title, entry.place].filter(Boolean).join(", "));
  if (focus) view.focus({ preventScroll: true });
}

async function openDocument(documentId, from) {
  const pane = $(".panel-doc");
  const mine = shown = { turn: null, entry: null, kind: "cite" };
  if (!$(".panel").contains(from)) opener = from; // What is in it is not there any more.
  openPanel("doc");
  showPlace(null);
  const slow = setTimeout(() => skeleton(pane), 150);
  const reply = await fetchSource(null, documentId, "cite");
  clearTimeout(slow);
  if (shown !== mine) return;
  showDocument(reply);
  pane.scrollTo({ top: 0 });
  const view = await showAsWanted(1);
  view.setAttribute("aria-label", pane.getAttribute("aria-label"));
  view.focus({ preventScroll: true });
}

// After a rebuild: the document as it is now, where the reader is in it.
async function showAnew() {
  const pane = $(".panel-doc");
  const { key, document: id } = pane.dataset;
  const mine = shown;
  if (root.dataset.panel !== "open" || !mine || !key) return;
  const reply = await fetchSource(mine.turn, mine.entry ? mine.entry.document : id, mine.kind);
  if (shown !== mine || pane.dataset.key !== key) return; // Another one was opened meanwhile.
  if (reply.html === read.html) { pane.dataset.key = reply.key; return; }
  const { scrollTop } = pane;
  const before = topOfMark();
  const unfolded = $(".outline [open]", pane) !== null;
  const held = pane.contains(document.activeElement);
  const picture = $(".panel-page");
  const pages = { open: !picture.hidden, number: paged && paged.number, at: picture.scrollTop };
  showDocument(reply);
  if (held) pane.focus({ preventScroll: true }); // What had the focus in it is gone.
  if (reply.error) return;
  if (mine.entry) markActive(mine.entry, mine.kind);
  const outline = $(".outline details", pane);
  if (outline) outline.open = unfolded;
  pane.scrollTop = scrollTop;
  if (before !== null && topOfMark() !== null) pane.scrollTop += topOfMark() - before;
  if (!pages.open || !paged) return;
  await showPage(Math.min(pages.number, paged.count));
  picture.scrollTop = pages.at;
}

function topOfMark() {
  const mark = $(".panel-doc mark.active");
  return mark && mark.getBoundingClientRect().top;
}

function showDocument(reply) {
  const pane = $(".panel-doc");
  read = reply;
  pane.dataset.key = reply.error ? "" : reply.key;
  pane.dataset.document = reply.error ? "" : reply.documentId;
  if (reply.error) {
    pane.replaceChildren(make("p", reply.error, "skeleton error"));
    offerPages({}, "", []);
    return;
  }
  pane.innerHTML = reply.html;
  direct(pane, ".doc-title, .doc-body :is(p, li, td, th, h3, h4, h5, h6)");
  offerPages(reply, reply.documentId, reply.marks);
  pane.setAttribute("aria-label", `Source document: ${reply.title}`);
  if (reply.moved) {
    $(".doc-head", pane).append(make("p", "This document has changed since the answer was given. "
      + "Quotations that are still in it are marked where they stand now.", "standing"));
  }
  const outline = $(".outline details", pane);
  if (outline) outline.open = $(".panel").clientWidth >= 896;
}

function skeleton(pane) {
  pane.dataset.key = "";
  const lines = make("div", "", "skeleton");
  for (let i = 0; i < 9; i += 1) lines.append(make("i"));
  pane.replaceChildren(lines);
}

function step(by) {
  if (!shown || !shown.turn) return;
  const group = shown.kind === "near" ? shown.turn.nearest : shown.turn.citations;
  const next = group.find((entry) => entry.n === shown.entry.n + by);
  if (next) openEntry(shown.turn, next, shown.kind);
}

function filterDocuments(words) {
  const wanted = words.trim().toLowerCase();
  let any = false;
  for (const section of $$(".documents section")) {
    let some = false;
    for (const item of $$("li", section)) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
      some ||= !item.hidden;
    }
    section.hidden = !some;
    any ||= some;
  }
  $(".panel-list .none").hidden = any;
}
