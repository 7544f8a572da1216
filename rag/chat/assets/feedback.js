// A thumb and a reason under an answer, kept for the owner of the documents.
const REASONS = ["Wrong passage", "Out of date", "Incomplete", "The documents do answer this"];
const THUMBS = {
  up: ["Helpful", "M6 17V9l3.500-6c1.500 0 2.200 1 1.900 2.400L10.800 8H15c1.200 0 2 1 1.700 2.200l-1.200 5.300c-.3 1-1 1.500-2 1.500zM6 9H3.500v8H6"],
  down: ["Not helpful", "M14 3v8l-3.500 6c-1.500 0-2.200-1-1.900-2.400L9.200 12H5c-1.200 0-2-1-1.700-2.200l1.200-5.300c.3-1 1-1.500 2-1.500zM14 11h2.500V3H14"],
};

function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  drawing.append(line);
  return drawing;
}

function offerFeedback(turn) {
  const tools = $(".after .tools", turn.node);
  if (!tools || !turn.turn) return;
  for (const [verdict, [label, path]] of Object.entries(THUMBS)) {
    const button = make("button", "", "tool bare thumb");
    button.type = "button";
    button.dataset.verdict = verdict;
    button.setAttribute("aria-label", label);
    button.title = label;
    button.append(icon(path));
    tools.append(button);
  }
  showVerdict(turn);
}

function showVerdict(turn) {
  for (const button of $$("[data-verdict]", turn.node)) {
    button.setAttribute("aria-pressed", String(button.dataset.verdict === turn.verdict));
  }
}

async function giveVerdict(turn, verdict) {
  const given = turn.verdict === verdict ? "" : verdict;
  if (!(await sendFeedback(turn, given, ""))) return;
  for (const said of $$(".reason, .thanks", turn.node)) said.remove();
  if (given) askReason(turn);
  say(given ? "Thank you. You can add a reason." : "Feedback taken back.");
}

async function sendFeedback(turn, verdict, reason) {
  const reply = await call("feedback", { me: me(), turn: turn.turn, verdict, reason });
  if (reply.error) { complain(reply.error); return false; }
  turn.verdict = verdict;
  showVerdict(turn);
  return true;
}

function askReason(turn) {
  const form = make("form", "", "reason");
  const id = `rag-reason-${turn.id}`;
  const label = make("label", turn.verdict === "up" ? "What was good? (optional)" : "What was wrong? (optional)");
  label.htmlFor = id;
  const row = make("div", "", "reason-row");
  const box = make("input");
  Object.assign(box, { id, type: "text", maxLength: 1000, autocomplete: "off" });
  const send = make("button", "Send", "tool strong");
  row.append(box, send);
  form.append(label);
  if (turn.verdict === "down") {
    const chips = make("div", "", "chips");
    for (const words of REASONS) {
      const chip = make("button", words, "chip");
      chip.type = "button";
      chip.addEventListener("click", () => finish(words));
      chips.append(chip);
    }
    form.append(chips);
  }
  form.append(row);
  const finish = async (words) => {
    if (!(await sendFeedback(turn, turn.verdict, words))) return;
    const thanks = make("p", "Thank you. The owner of these documents will see it.", "dim thanks");
    form.replaceWith(thanks);
    say(thanks.textContent);
    $(`[data-verdict="${turn.verdict}"]`, turn.node).focus({ preventScroll: true });
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); finish(box.value.trim()); });
  $(".after", turn.node).after(form);
  box.focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest", behavior: "instant" });
}
