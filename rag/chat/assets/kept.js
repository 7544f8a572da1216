// Conversations that are kept: the list, names, links and files of them.
let talk = newTalk();
let secret = ""; // by it the server knows this browser again
let opening = 0; // the newest conversation asked for; an older reply is ignored

const keeping = () => root.dataset.kept !== "";

// `here` is its name in the entries that "back" leads to: it has no id before it is saved.
function newTalk(known = {}) {
  return { id: "", name: "", mine: true, saved: false, here: random(6), ...known };
}

function random(bytes) {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...drawn)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function me() {
  secret ||= store.get("rag-me") || random(24);
  store.set("rag-me", secret);
  return secret;
}

// What a question is sent with so that it is kept, once even if it is sent again. A shared
// conversation goes on as a copy, but is what is open until something is kept in that.
function place(turn) {
  if (!keeping()) return {};
  turn.key ||= random(16);
  const id = talk.mine ? "id" : "copy";
  talk[id] ||= random(16);
  return { me: me(), key: turn.key, conversation: talk[id], copy_of: talk.mine ? "" : talk.id };
}

function nowKept(turn) {
  if (!keeping() || !turn.turn) return;
  if (!talk.mine) talk = { ...talk, id: talk.copy, mine: true };
  talk.saved = true;
  talk.name ||= turn.question;
  showTalk();
  writeLink();
}

function showTalk() {
  const bar = $(".talk-bar");
  bar.hidden = !talk.saved;
  $(".shared").hidden = talk.mine;
  $(".talk-name").replaceChildren(make("span", talk.name));
  if (!talk.mine || !talk.saved) return;
  const button = make("button", talk.name, "plain");
  button.type = "button";
  button.dataset.do = "name";
  button.title = "Rename";
  button.setAttribute("aria-label", `Rename this conversation: ${talk.name}`);
  $(".talk-name").replaceChildren(button);
}

// Swaps a node for a field with its name; Enter keeps the new one, Esc the old. `done` gets the
// new one, and whether a key ended it: after a click the focus is where that was. It returns false
// if the new one could not be kept: then it stays in the field.
function editName(node, name, done) {
  const box = make("input", "", "name-box");
  Object.assign(box, { type: "text", value: name, maxLength: 120 });
  box.setAttribute("aria-label", "Name of the conversation");
  node.replaceWith(box);
  box.select();
  let over = false;
  const finish = async (wanted, byKey) => {
    if (over) return;
    over = true;
    over = await done(wanted.trim(), byKey);
  };
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    finish(event.key === "Enter" ? box.value : "", true);
  });
  box.addEventListener("blur", () => finish(box.value, false));
  box.focus();
}

// Returns the name as it is kept; "" if it is not.
async function rename(id, name) {
  const reply = await call("rename", { me: me(), conversation: id, name });
  if (reply.error) { complain(reply.error); return ""; }
  say(`Renamed to ${reply.name}`);
  if (id === talk.id) { talk.name = reply.name; showTalk(); }
  return reply.name;
}

function renameHere(button) {
  const { id, name: before } = talk;
  editName(button, before, async (name, byKey) => {
    if (name && name !== before && !(await rename(id, name))) return false;
    showTalk();
    const again = $("[data-do=name]");
    if (again && byKey) again.focus();
    return true;
  });
}

// Only this row changes, and keeps its height: a click that ends it may be on its way to another.
function renameListed(item) {
  const button = $(".talked", item);
  const before = $(".title", button).textContent;
  item.style.minHeight = `${item.offsetHeight}px`;
  editName(button, before, async (name, byKey) => {
    const kept = name && name !== before ? await rename(item.dataset.conversation, name) : before;
    if (!kept) return false;
    const box = $(".name-box", item);
    if (box) box.replaceWith(button);
    nameRow(item, kept);
    if (byKey) $("[data-rename]", item).focus();
    return true;
  });
}

function nameRow(item, name) {
  $(".title", item).textContent = name;
  $(".talked", item).title = name; // It can be longer than its lines.
  $("[data-rename]", item).setAttribute("aria-label", `Rename “${name}”`);
  $("[data-delete]", item).setAttribute("aria-label", `Delete “${name}”`);
}

async function openTalks() {
  $("#rag-talks-search").value = "";
  $(".drawer").showModal();
  await listTalks();
}

async function listTalks() {
  const words = $("#rag-talks-search").value.trim();
  const reply = await call("conversations", { me: me(), words });
  if (words !== $("#rag-talks-search").value.trim()) return;
  const list = $(".talks");
  list.innerHTML = reply.html || "";
  if (reply.error) list.append(make("p", reply.error, "error"));
  else if (!reply.count) list.append(make("p", words ? "No conversation has all of these words." : "Nothing has been asked yet.", "dim"));
  for (const item of $$("[data-conversation]", list)) {
    nameRow(item, $(".title", item).textContent);
    if (item.dataset.conversation === talk.id) $(".talked", item).setAttribute("aria-current", "true");
  }
}

async function openTalk(id, { wanted = null, push = false } = {}) {
  const mine = opening += 1;
  const reply = await call("conversation", { me: me(), conversation: id });
  if (mine !== opening) return;
  if (reply.error) {
    writeLink(); // It names what is still open.
    if (turns.length) complain(reply.error);
    else $(".problem").textContent = reply.error;
    return;
  }
  clearTalk();
  talk = newTalk({ id, name: reply.name, mine: reply.mine, saved: true });
  if (!push && history.state && history.state.here) talk.here = history.state.here;
  for (const kept of reply.turns) fill(addTurn(kept.question), kept);
  const marked = refresh();
  const filtered = setFilters(wanted || reply.filters);
  writeLink({ push });
  showTalk();
  // One's own goes on at its end; that of somebody else is new, and begins with saying so.
  if (turns.length && talk.mine) toTop(turns.at(-1));
  if (turns.length) followUp(turns.at(-1));
  say(`Conversation ${reply.name}, ${turns.length} question${turns.length === 1 ? "" : "s"}`);
  await filtered;
  await marked;
}

// Another tab may have gone on with this conversation. While something here is not kept yet, what
// is new there and what is the same cannot be told apart.
async function catchUp() {
  const { id } = talk;
  const ready = () => talk.saved && talk.mine && talk.id === id && turns.every((turn) => turn.turn);
  if (!ready()) return;
  const reply = await call("conversation", { me: me(), conversation: id });
  if (reply.error || !ready()) return;
  let at = 0;
  let added = 0;
  for (const kept of reply.turns) {
    const known = turns.findIndex((turn) => turn.turn === kept.turn);
    if (known < 0) { fill(addTurn(kept.question, at), kept); added += 1; }
    at = Math.max(at, known < 0 ? at + 1 : known + 1);
  }
  if (talk.name !== reply.name && !$(".talk-name .name-box")) {
    talk.name = reply.name;
    showTalk();
  }
  if (!added) return;
  turns.forEach(markOld);
  followUp(turns.at(-1));
  say(`${added} question${added === 1 ? "" : "s"} from another tab added`);
}

async function removeTalk(item) {
  const id = item.dataset.conversation;
  const name = $(".title", item).textContent;
  const reply = await call("delete", { me: me(), conversation: id });
  if (reply.error) { complain(reply.error); return; }
  const note = make("span", `Deleted: ${name}`, "dim");
  const undo = make("button", "Undo", "tool");
  undo.type = "button";
  undo.dataset.undo = "";
  undo.setAttribute("aria-label", `Undo: have “${name}” back`);
  item.classList.add("gone");
  item.replaceChildren(note, undo);
  undo.focus();
  say(`Deleted: ${name}. It can be had back for ten minutes.`);
  if (id === talk.id) startAfresh({ focus: false, push: false }); // There is no way back to it.
}

async function restoreTalk(item) {
  const id = item.dataset.conversation;
  const reply = await call("restore", { me: me(), conversation: id });
  if (reply.error) complain(reply.error);
  else say("It is back.");
  await listTalks();
  const back = $(`[data-conversation="${id}"] .talked`);
  (back || $("#rag-talks-search")).focus();
}

async function exportTalk(button) {
  const menu = button.closest("details");
  const reply = await call("export", { conversation: talk.id, format: button.dataset.export });
  menu.open = false;
  $("summary", menu).focus();
  if (reply.error) { complain(reply.error); return; }
  const bytes = Uint8Array.from(atob(reply.data), (letter) => letter.charCodeAt(0));
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: reply.type }));
  link.download = reply.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say(`Saved as ${reply.name}`);
}

async function copyLink(button) {
  writeLink();
  await copied(button, location.href);
}

function watchTalks() {
  $("[data-do=talks]").hidden = !keeping();
  $(".privacy").hidden = !keeping();
  let wait = 0;
  $("#rag-talks-search").addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(listTalks, 150);
  });
  $(".drawer").addEventListener("click", (event) => {
    // A click on the backdrop is one on the dialog itself.
    if (event.target === $(".drawer")) $(".drawer").close();
  });
  root.addEventListener("click", (event) => {
    const menu = $(".menu");
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  $(".menu").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !$(".menu").open) return;
    event.preventDefault();
    event.stopPropagation();
    $(".menu").open = false;
    $(".menu summary").focus();
  });
}
