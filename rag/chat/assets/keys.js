// Keyboard: 1–9 open citations, / goes to the question, Esc steps back, ? explains.
function watchKeys() {
  const keysOn = () => store.get("rag-keys") !== "off";
  const inField = (node) => node && node.matches("input, textarea, select, [contenteditable]");

  const onKey = (event) => {
    if (!root.isConnected) { document.removeEventListener("keydown", onKey); return; }
    if (event.isComposing || event.defaultPrevented || $("dialog[open]")) return;
    if (event.key === "Escape") { stepBack(event); return; }
    const digit = /^Digit([1-9])$/.exec(event.code);
    const altDigit = event.altKey && !event.ctrlKey && !event.metaKey && digit;
    if (altDigit) { openNumber(Number(digit[1]), event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target) || !keysOn()) return;
    if (/^[1-9]$/.test(event.key)) openNumber(Number(event.key), event);
    else if (event.key === "/") { event.preventDefault(); writeQuestion(); }
    else if (event.key === "?") { event.preventDefault(); $("#rag-help").showModal(); }
  };
  document.addEventListener("keydown", onKey);
  const toggle = $("[data-do=shortcuts]");
  toggle.checked = keysOn();
  toggle.addEventListener("change", () => store.set("rag-keys", toggle.checked ? "on" : "off"));
}

function writeQuestion() {
  if (narrow.matches) closePanel();
  $("#rag-question").focus();
}

function openNumber(n, event) {
  const turn = currentTurn();
  if (!turn) return;
  const kind = turn.citations.length ? "cite" : "near";
  const entry = (kind === "cite" ? turn.citations : turn.nearest).find((one) => one.n === n);
  if (!entry) return;
  event.preventDefault();
  const button = $(kind === "cite" ? `.cite[data-n="${n}"]` : `.near[data-near="${n}"]`, turn.node);
  root.dataset.wish = "open";
  openEntry(turn, entry, kind, { from: button });
}

function stepBack(event) {
  const box = $("#rag-question");
  if (hideCard()) event.preventDefault();
  else if (!$(".filter-panel").hidden) { openFilters(false); $(".funnel").focus(); event.preventDefault(); }
  else if (document.activeElement === box) box.blur();
  else if (closePanel()) { root.dataset.wish = "closed"; event.preventDefault(); }
}
