// What an answer does to the view when it arrives: nothing, if the reader has turned to something
// else since asking.
let strokes = 0; // how often the reader has done something in the panel

// The place of the turn rather than that of the scroll bar: what grows above it moves only that.
const viewOf = (turn) => ({
  top: turn.node.getBoundingClientRect().top,
  view: lib.view, panel: root.dataset.panel, shown, strokes,
});

function hasStayed(turn, before) {
  const { top, ...rest } = viewOf(turn);
  return Math.abs(top - before.top) < 2
    && Object.keys(rest).every((key) => rest[key] === before[key]);
}

function arrive(turn, stayed) {
  $(".arrived").hidden = stayed || inView(turn);
  if (!stayed) return;
  const box = $("#rag-question");
  if (!box.value && [box, document.body].includes(document.activeElement)) {
    turn.node.focus({ preventScroll: true });
  }
  present(turn);
}

// Its evidence is opened with an answer. That of another one does not stand beside an abstention.
function present(turn) {
  if (turn.citations.length && !narrow.matches && root.dataset.wish !== "closed") {
    openEntry(turn, turn.citations[0], "cite", { focus: false, from: $(".cite", turn.node) });
  } else if (turn.abstained && shown && shown.turn) closePanel({ focus: false });
  toTop(turn);
}

function inView(turn) {
  const question = $(".question", turn.node).getBoundingClientRect();
  const seen = $(".scroll").getBoundingClientRect();
  return question.bottom > seen.top && question.top < seen.bottom;
}

function goToArrived() {
  const turn = turns.at(-1);
  $(".arrived").hidden = true;
  present(turn);
  turn.node.focus({ preventScroll: true });
}

function hideIfSeen() {
  const chip = $(".arrived");
  if (!chip.hidden && inView(turns.at(-1))) chip.hidden = true;
}

function watchArrivals() {
  $(".scroll").addEventListener("scroll", hideIfSeen, { passive: true });
  for (const name of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    $(".panel").addEventListener(name, () => { strokes += 1; }, { passive: true });
  }
}
