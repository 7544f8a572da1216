// Filters: chips above the question; part of the conversation and of its link.
const KINDS = ["collection", "document", "language", "since", "published", "as_of"];
let filters = {};
let filtering = 0; // the newest look at them; an older reply is ignored

const limited = () => Object.keys(filters).length > 0;

function linkOf(id) {
  const parts = new URLSearchParams(id ? { c: id } : {});
  for (const kind of KINDS) if (filters[kind]) parts.set(kind, filters[kind]);
  return parts.toString();
}

function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const found = {};
  for (const kind of KINDS) if (parts.get(kind)) found[kind] = parts.get(kind);
  return { id: parts.get("c") || "", owner: parts.get("owner") || "", filters: found };
}

function writeLink() {
  const link = linkOf(talk.saved ? talk.id : "");
  history.replaceState(history.state, "", link ? `#${link}` : location.pathname + location.search);
}

async function setFilters(wanted, { focus = "" } = {}) {
  filters = { ...wanted };
  await showFilters();
  writeLink();
  if (focus) focusFilter(focus);
}

async function showFilters() {
  const mine = filtering += 1;
  const reply = await call("filters", { filters });
  if (mine !== filtering) return;
  if (reply.error) {
    filters = {};
    say(reply.error);
    if (limited()) await showFilters();
    return;
  }
  $(".filters").innerHTML = reply.chips;
  $(".choices").innerHTML = reply.choices || "";
  if (!reply.choices) $(".choices").append(make("p", "These documents carry nothing to filter by.", "dim"));
  const words = `${reply.searched.toLocaleString("en")} of ${reply.of.toLocaleString("en")} documents are searched`;
  for (const line of $$(".filtered")) line.textContent = words;
  $(".filter-row").hidden = !limited();
  $("[data-do=no-filters]").disabled = !limited();
  $(".funnel").classList.toggle("on", limited());
  return words;
}

function focusFilter(kind) {
  const target = $(`[data-filter="${kind}"]`);
  if (target && !$(".filter-panel").hidden) target.focus();
  else $("#rag-question").focus();
}

function openFilters(open) {
  $(".filter-panel").hidden = !open;
  $(".funnel").setAttribute("aria-expanded", String(open));
  if (open) {
    const first = $(".choices select, .choices input");
    if (first) first.focus();
  }
}

function watchFilters() {
  $(".filter-panel").addEventListener("change", async (event) => {
    const kind = event.target.dataset.filter;
    if (!kind) return;
    const { [kind]: before, ...others } = filters;
    const value = event.target.value;
    await setFilters(value ? { ...others, [kind]: value } : others, { focus: kind });
    say($(".filtered").textContent);
  });
}

async function removeFilter(kind) {
  const { [kind]: gone, ...others } = filters;
  await setFilters(others);
  say(`Filter removed. ${$(".filtered").textContent}`);
  const next = $(".filters button");
  (next || $("#rag-question")).focus();
}

async function widen(turn) {
  await setFilters({});
  await ask(turn.question, turn.history || historyBefore(turn));
}
