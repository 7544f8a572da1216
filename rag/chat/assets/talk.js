// The conversation: every question is a node of its own, so a slow one holds up no other.
let turns = [];
let count = 0;
let aboutDocuments = $(".problem").textContent; // what the server has to say of them, if anything

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

function addTurn(question) {
  const node = $("template[data-turn]").content.firstElementChild.cloneNode(true);
  count += 1;
  const turn = { id: count, node, question, filters: { ...filters }, text: "", citations: [], nearest: [], differs: [] };
  $(".question", node).textContent = question;
  node.setAttribute("aria-label", `Question ${turns.length + 1}`);
  turns.push(turn);
  $(".empty").hidden = true;
  $("[data-do=fresh]").hidden = false;
  $(".turns").append(node);
  return turn;
}

// A suggestion was tried without any history, and is asked so: it keeps its promise.
async function ask(question, history = null) {
  const words = question.trim();
  if (!words) return;
  const turn = addTurn(words);
  turn.history = history;
  toTop(turn);
  await settle(turn);
}

// A new question goes to the top of the view, so that its answer is read from its beginning.
function toTop(turn) {
  turn.node.scrollIntoView({ block: "start", behavior: "instant" });
}

async function settle(turn) {
  const reply = await call("answer", {
    question: turn.question, history: turn.history || historyBefore(turn),
    filters: turn.filters, ...place(turn),
  });
  if (!turns.includes(turn)) return;
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
  const last = turn === turns.at(-1);
  const box = $("#rag-question");
  if (last && !box.value && (document.activeElement === box || document.activeElement === document.body)) {
    turn.node.focus({ preventScroll: true });
  }
  if (last && turn.citations.length && !narrow.matches && root.dataset.wish !== "closed") {
    openEntry(turn, turn.citations[0], "cite", { focus: false, from: $(".cite", turn.node) });
  }
  if (last) toTop(turn);
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
  again.dataset.ask = turn.standalone || turn.question;
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
  if (kept.length) toTop(turns.at(-1));
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
  const edit = make("button", "Edit");
  edit.type = "button";
  edit.dataset.edit = turn.standalone;
  edit.setAttribute("aria-label", "Edit the question as understood");
  line.replaceChildren(`Understood as: ${turn.standalone} `, edit);
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
  const listed = lib.view === "library" && lib.known;
  if (listed && listed.generation !== reply.generation) showLibrary();
}

// A page that is left open follows every build, whoever made it.
function keepUp() {
  const lookIfSeen = () => (document.hidden ? null : refresh());
  addEventListener("focus", lookIfSeen);
  document.addEventListener("visibilitychange", lookIfSeen);
  const again = async () => {
    await lookIfSeen();
    setTimeout(again, 30_000);
  };
  again();
}

function startAfresh({ focus = true } = {}) {
  turns = [];
  talk = { id: "", name: "", mine: true, saved: false };
  showTalk();
  writeLink();
  remember();
  sources.clear();
  closePanel();
  $(".turns").replaceChildren();
  $(".problem").textContent = aboutDocuments;
  $(".empty").hidden = false;
  $("[data-do=fresh]").hidden = true;
  if (focus) $("#rag-question").focus();
}
