// The conversation: every question is a node of its own, so a slow one holds up no other.
let turns = [];
let count = 0;
let aboutDocuments = $(".problem").textContent; // what the server has to say of them, if anything
const LONG = 150; // characters that six lines hold on the smallest screen

const turnOf = (node) => {
  const article = node && node.closest(".turn");
  return article ? turns.find((turn) => turn.node === article) : null;
};

// The turn that has the focus, or whose source has it; otherwise the last.
function currentTurn() {
  const focus = document.activeElement;
  const focused = $(".panel").contains(focus) ? shown && shown.turn : turnOf(focus);
  const leads = (turn) => turn && turn.citations.length + turn.nearest.length > 0;
  return leads(focused) ? focused : turns.findLast(leads) || null;
}

// A question leans on those before it whether or not they have their answers yet.
function historyBefore(turn) {
  return turns.slice(0, turns.indexOf(turn)).flatMap(({ question, text }) => [
    { role: "user", content: question },
    ...(text ? [{ role: "assistant", content: text }] : []),
  ]);
}

function addTurn(question, at = turns.length) {
  const node = $("template[data-turn]").content.firstElementChild.cloneNode(true);
  count += 1;
  const turn = { id: count, node, question, filters: { ...filters }, text: "", citations: [], nearest: [], differs: [] };
  $(".question", node).textContent = question;
  $(".turns").insertBefore(node, turns[at] ? turns[at].node : null);
  turns.splice(at, 0, turn);
  turns.forEach((one, n) => one.node.setAttribute("aria-label", `Question ${n + 1}`));
  $(".empty").hidden = true;
  $("[data-do=fresh]").hidden = false;
  if (question.length > LONG || question.includes("\n")) foldQuestion(node);
  return turn;
}

// A question of many lines leaves the view to its answer.
function foldQuestion(node) {
  const question = $(".question", node);
  question.classList.add("folded");
  if (question.scrollHeight <= question.clientHeight) {
    question.classList.remove("folded");
    return;
  }
  const button = make("button", "Show all", "plain unfold");
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const folded = question.classList.toggle("folded");
    button.textContent = folded ? "Show all" : "Show less";
    button.setAttribute("aria-expanded", String(!folded));
  });
  question.after(button);
}

// A suggestion was tried without any history, and is asked so: it keeps its promise.
async function ask(question, history = null) {
  const words = question.trim();
  if (!words) return;
  const turn = addTurn(words);
  turn.history = history;
  $(".arrived").hidden = true;
  toTop(turn);
  await settle(turn);
}

// A new question goes to the top of the view, so that its answer is read from its beginning.
function toTop(turn) {
  turn.node.scrollIntoView({ block: "start", behavior: "instant" });
}

async function settle(turn) {
  const before = viewOf(turn);
  const reply = await call("answer", {
    question: turn.question, history: turn.history || historyBefore(turn),
    filters: turn.filters, ...place(turn),
  });
  if (!turns.includes(turn)) return;
  const stayed = hasStayed(turn, before);
  fill(turn, reply);
  if (reply.error) {
    say(reply.error);
    return;
  }
  remember();
  nowKept(turn);
  announce(turn);
  if (reply.generation !== root.dataset.generation) refresh();
  for (const id of new Set(turn.citations.map((entry) => entry.document))) {
    fetchSource(turn, id, "cite");
  }
  if (turn === turns.at(-1)) arrive(turn, stayed);
  followUp(turn);
}

function fill(turn, reply) {
  const body = $(".reply", turn.node);
  turn.node.classList.add("settled");
  if (reply.error) {
    const line = make("p", reply.error, "error");
    const again = make("button", "Try again");
    again.type = "button";
    again.dataset.retry = "";
    line.append(again);
    body.replaceChildren(line);
    return;
  }
  Object.assign(turn, reply);
  body.innerHTML = reply.html;
  direct(body, ".answer-text :is(p, li, td, th), .snippet, .other q");
  showUnderstood(turn);
  offerFeedback(turn);
  if (turn.unkept) body.append(make("p", `Not kept: ${turn.unkept}`, "unkept dim"));
}

// An answer from another index than the current one is shown as it was given, and says so.
function markOld(turn) {
  const old = turn.generation && turn.generation !== root.dataset.generation;
  const marked = $(".old", turn.node);
  if (marked && !old) marked.remove();
  if (marked || !old) return;
  const line = make("p", "Given by another state of the documents. ", "old dim");
  const again = make("button", "Ask again");
  again.type = "button";
  again.dataset.again = "";
  line.append(again);
  $(".reply", turn.node).prepend(line);
}

// Where conversations are not kept, this one outlives a reload of the page, in this tab only.
function remember() {
  if (keeping()) return;
  const kept = turns.filter((turn) => turn.html).slice(-20).map(
    ({ node, id, ...reply }) => reply,
  );
  try {
    sessionStorage.setItem("rag-turns", JSON.stringify(kept));
  } catch { /* full or switched off: then it does not outlive a reload */ }
}

function recall() {
  if (keeping()) return;
  let kept = [];
  try {
    kept = JSON.parse(sessionStorage.getItem("rag-turns") || "[]");
  } catch { /* nothing that we wrote */ }
  for (const reply of kept) fill(addTurn(reply.question), reply);
  if (!kept.length) return;
  toTop(turns.at(-1));
  followUp(turns.at(-1));
}

function announce(turn) {
  const number = turn.citations.length;
  const kind = turn.abstained
    ? "No answer found in the documents. " : `Answer with ${number} citation${number > 1 ? "s" : ""}. `;
  say(kind + turn.text);
}

function showUnderstood(turn) {
  const line = $(".understood", turn.node);
  if (!turn.standalone || turn.standalone === turn.question) return;
  const [edit, alone] = [make("button", "Edit"), make("button", "Ask it alone")];
  edit.type = alone.type = "button";
  edit.dataset.edit = turn.question;
  edit.setAttribute("aria-label", "Edit the question");
  alone.dataset.ask = turn.question;
  alone.title = "Ask it without the questions before it";
  line.replaceChildren(`Understood as: ${turn.standalone} `, edit, " ", alone);
  line.hidden = false;
}

async function followUp(turn) {
  const entries = turn.abstained ? turn.nearest : turn.citations;
  const reply = await call("follow_ups", {
    question: turn.question,
    abstained: turn.abstained,
    filters: turn.filters,
    documents: [...new Set(entries.map((entry) => entry.document))],
    sections: entries.map((entry) => entry.section || ""),
  });
  if (reply.error || !turns.includes(turn)) return;
  suggest(turn, "Ask with a term of these documents", reply.rephrased);
  suggest(turn, turn.abstained ? "What these documents do answer" : "Also in these documents", reply.html);
}

function suggest(turn, heading, html) {
  if (!html) return;
  const box = make("div", "", "next");
  const list = make("ul", "", "chips");
  list.setAttribute("role", "list");
  list.innerHTML = html;
  box.append(make("h3", heading), list);
  $(".reply", turn.node).append(box);
}

// One look at a time: each asks with what the one before it found.
let looks = Promise.resolve();
function refresh() {
  looks = looks.then(look);
  return looks;
}

async function look() {
  const reply = await call("overview", { known: root.dataset.generation });
  if (reply.error) return;
  if ("documents" in reply) showOverview(reply);
  turns.forEach(markOld);
}

function showOverview(reply) {
  root.dataset.generation = reply.generation;
  sources.clear();
  $(".bar .facts").innerHTML = reply.facts;
  $(".empty .suggestions").innerHTML = reply.examples;
  $(".documents").innerHTML = reply.documents;
  const problem = $(".problem"); // Another problem than that of the documents stays.
  if (problem.textContent === aboutDocuments) problem.textContent = reply.notice;
  aboutDocuments = reply.notice;
  filterDocuments($("#rag-filter").value);
  showFilters();
  showAnew();
  const listed = lib.view === "library" && lib.known;
  if (listed && listed.generation !== reply.generation) showLibrary();
}

// A page that is left open follows every build, whoever made it.
function keepUp() {
  const lookIfSeen = () => (document.hidden ? null : refresh());
  addEventListener("focus", () => { lookIfSeen(); catchUp(); });
  document.addEventListener("visibilitychange", lookIfSeen);
  const again = async () => {
    await lookIfSeen();
    setTimeout(again, 30_000);
  };
  again();
}

function startAfresh({ focus = true, push = true } = {}) {
  clearTalk();
  writeLink({ push });
  remember();
  if (focus) $("#rag-question").focus();
}

function clearTalk() {
  turns = [];
  opening += 1; // What is on its way is not wanted any more.
  talk = newTalk();
  showTalk();
  sources.clear();
  closePanel();
  $(".turns").replaceChildren();
  $(".problem").textContent = aboutDocuments;
  $(".empty").hidden = false;
  $("[data-do=fresh]").hidden = true;
  $(".arrived").hidden = true;
}
