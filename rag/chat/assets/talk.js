// The conversation: every question is a node of its own, so a slow one holds up no other.
let turns = [];
let count = 0;

const turnOf = (node) => {
  const article = node && node.closest(".turn");
  return article ? turns.find((turn) => turn.node === article) : null;
};

function currentTurn() {
  const focused = turnOf(document.activeElement);
  if (focused && focused.citations.length) return focused;
  if (shown && shown.turn) return shown.turn;
  return turns.findLast((turn) => turn.citations.length || turn.nearest.length) || null;
}

function historyBefore(turn) {
  return turns.slice(0, turns.indexOf(turn)).filter((earlier) => earlier.text).flatMap(
    (earlier) => [
      { role: "user", content: earlier.question },
      { role: "assistant", content: earlier.text },
    ],
  );
}

function addTurn(question) {
  const node = $("template[data-turn]").content.firstElementChild.cloneNode(true);
  count += 1;
  const turn = { id: count, node, question, text: "", citations: [], nearest: [] };
  $(".question", node).textContent = question;
  node.setAttribute("aria-label", `Question ${turns.length + 1}`);
  turns.push(turn);
  $(".empty").hidden = true;
  $("[data-do=fresh]").hidden = false;
  $(".turns").append(node);
  return turn;
}

async function ask(question) {
  const words = question.trim();
  if (!words) return;
  const turn = addTurn(words);
  toTop(turn);
  await settle(turn);
}

// A new question goes to the top of the view, so that its answer is read from its beginning.
function toTop(turn) {
  turn.node.scrollIntoView({ block: "start", behavior: "instant" });
}

async function settle(turn) {
  const reply = await call("answer", { question: turn.question, history: historyBefore(turn) });
  if (!turns.includes(turn)) return;
  fill(turn, reply);
  if (reply.error) {
    say(reply.error);
    return;
  }
  remember();
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
}

// The conversation outlives a reload of the page, in this tab only.
function remember() {
  const kept = turns.filter((turn) => turn.html).slice(-20).map(
    ({ node, id, ...reply }) => reply,
  );
  try {
    sessionStorage.setItem("rag-turns", JSON.stringify(kept));
  } catch { /* full or switched off: then it does not outlive a reload */ }
}

function recall() {
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
    documents: [...new Set(entries.map((entry) => entry.document))],
    sections: entries.map((entry) => entry.section || ""),
  });
  if (reply.error || !reply.html || !turns.includes(turn)) return;
  const box = make("div", "", "next");
  const list = make("ul", "", "chips");
  list.setAttribute("role", "list");
  list.innerHTML = reply.html;
  box.append(make("h3", turn.abstained ? "What these documents do answer" : "Also in these documents"), list);
  $(".reply", turn.node).append(box);
}

async function refresh() {
  const reply = await call("overview", { known: root.dataset.generation });
  if (reply.error || !reply.documents) return;
  root.dataset.generation = reply.generation;
  $(".bar .facts").innerHTML = reply.facts;
  $(".empty .suggestions").innerHTML = reply.examples;
  $(".documents").innerHTML = reply.documents;
  $(".problem").textContent = reply.notice;
  filterDocuments($("#rag-filter").value);
}

function startAfresh() {
  turns = [];
  remember();
  sources.clear();
  closePanel();
  $(".turns").replaceChildren();
  $(".empty").hidden = false;
  $("[data-do=fresh]").hidden = true;
  $("#rag-question").focus();
}
