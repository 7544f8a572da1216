// Filters: chips above the question; part of the conversation and of its link.
const KINDS = ["collection", "document", "language", "since", "published", "as_of"];
let filters = {};
let shownFilters = {}; // what the chips say: those that the server took last
let filtering = 0; // the newest look at them; an older reply is ignored

const limited = () => Object.keys(filters).length > 0;

// Returns whether they are in force; if not, those before them are, and the page says why.
async function setFilters(wanted) {
  filters = { ...wanted };
  const taken = await showFilters();
  writeLink();
  return taken;
}

async function showFilters() {
  const mine = filtering += 1;
  const reply = await call("filters", { filters });
  if (mine !== filtering) return false;
  if (reply.error) {
    filters = shownFilters;
    for (const field of $$(".choices [data-filter]")) field.value = filters[field.dataset.filter] || "";
    complain(reply.error);
    return false;
  }
  shownFilters = filters;
  $(".filters").innerHTML = reply.chips;
  showChoices(reply.choices);
  const words = `${reply.searched.toLocaleString("en")} of ${reply.of.toLocaleString("en")} documents are searched`;
  for (const line of $$(".filtered")) line.textContent = words;
  $(".filter-row").hidden = !limited();
  $("[data-do=no-filters]").disabled = !limited();
  $(".funnel").classList.toggle("on", limited());
  return true;
}

// All fields anew, but for the one with the focus: somebody is choosing or typing in it.
function showChoices(html) {
  const box = $(".choices");
  const fresh = make("div");
  fresh.innerHTML = html;
  if (!html) fresh.append(make("p", "These documents carry nothing to filter by.", "dim"));
  const focused = box.contains(document.activeElement) && document.activeElement;
  const twin = focused && $(`[data-filter="${focused.dataset.filter}"]`, fresh);
  if (!twin) { box.replaceChildren(...fresh.children); return; }
  const kept = focused.closest(".field");
  for (const field of [...box.children]) if (field !== kept) field.remove();
  const all = [...fresh.children];
  const at = all.indexOf(twin.closest(".field"));
  kept.before(...all.slice(0, at));
  kept.after(...all.slice(at + 1));
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
  const panel = $(".filter-panel");
  const take = async ({ value, dataset: { filter: kind } }) => {
    const { [kind]: before = "", ...others } = filters;
    if (!kind || value === before) return;
    if (await setFilters(value ? { ...others, [kind]: value } : others)) say($(".filtered").textContent);
  };
  // While a date is typed, 0002 and 0020 are years too: until there are four digits, it is not
  // taken before the field is left.
  const typing = (field) => field.type === "date" && field.value < "1000";
  panel.addEventListener("change", ({ target }) => { if (!typing(target)) take(target); });
  panel.addEventListener("focusout", ({ target }) => { if (typing(target)) take(target); });
  panel.addEventListener("keydown", ({ key, target }) => {
    if (key === "Enter" && typing(target)) take(target);
  });
}

async function removeFilter(kind) {
  const { [kind]: gone, ...others } = filters;
  if (!(await setFilters(others))) return;
  say(`Filter removed. ${$(".filtered").textContent}`);
  const next = $(".filters button");
  (next || $("#rag-question")).focus();
}

async function widen(turn) {
  if (await setFilters({})) await ask(turn.question, turn.history || historyBefore(turn));
}
