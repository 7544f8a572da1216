// The card with the quotation, at a citation number under the pointer or with the focus.
let cardFor = null;
let cardTimer = 0;

function showCard(button, entry) {
  const card = $(".card");
  cardFor = button;
  const words = make("q", entry.shown);
  words.dir = "auto";
  card.replaceChildren(
    words,
    make("strong", entry.title),
    make("span", [entry.place, entry.date].filter(Boolean).join(" · ")),
  );
  card.hidden = false;
  button.setAttribute("aria-describedby", "rag-card");
  const at = button.getBoundingClientRect();
  const box = card.getBoundingClientRect();
  // Not over the numbers of the other rows of a table.
  const wanted = button.closest("tr") ? at.right + 8 : at.left - 24;
  const left = Math.min(Math.max(12, wanted), innerWidth - box.width - 12);
  card.style.left = `${left}px`;
  card.style.top = `${placeOfCard(button, at, box.height)}px`;
  lightSentence(button, true);
}

// Above its sentence if it fits under the question, else below, else where there is more room.
function placeOfCard(button, at, height) {
  const turn = button.closest(".turn");
  const question = $(".question", turn).getBoundingClientRect();
  const own = button.closest(".answer-text > *, p");
  const words = $$(`.sentence[data-n="${button.dataset.n}"]`, own);
  const top = Math.min(at.top, ...words.map((node) => node.getBoundingClientRect().top));
  const above = top - height - 8;
  const below = at.bottom + 8;
  if (above >= Math.max(8, question.bottom)) return above;
  if (below + height <= innerHeight - 8) return below;
  return top > innerHeight - at.bottom ? Math.max(8, above) : innerHeight - height - 8;
}

function hideCard() {
  clearTimeout(cardTimer);
  if (!cardFor) return false;
  cardFor.removeAttribute("aria-describedby");
  lightSentence(cardFor, false);
  cardFor = null;
  $(".card").hidden = true;
  return true;
}

function lightSentence(button, on) {
  const turn = button.closest(".turn");
  for (const node of $$(`.sentence[data-n="${button.dataset.n}"]`, turn)) {
    node.classList.toggle("lit", on);
  }
}

function watchCards() {
  const entryOf = (button) => {
    const turn = turnOf(button);
    return turn && turn.citations.find((entry) => entry.n === Number(button.dataset.n));
  };
  const later = (act, wait) => { clearTimeout(cardTimer); cardTimer = setTimeout(act, wait); };
  const talk = $(".talk");
  talk.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const button = event.target.closest(".cite");
    const entry = button && entryOf(button);
    if (entry && button !== cardFor) later(() => { hideCard(); showCard(button, entry); }, 90);
  });
  talk.addEventListener("pointerout", (event) => {
    if (event.target.closest(".cite")) later(hideCard, 180);
  });
  $(".card").addEventListener("pointerenter", () => clearTimeout(cardTimer));
  $(".card").addEventListener("pointerleave", () => later(hideCard, 120));
  talk.addEventListener("focusin", (event) => {
    const button = event.target.closest(".cite");
    hideCard();
    if (button && button.matches(":focus-visible")) {
      const entry = entryOf(button);
      if (entry) showCard(button, entry);
    }
  });
  $(".scroll").addEventListener("scroll", hideCard, { passive: true });
}
