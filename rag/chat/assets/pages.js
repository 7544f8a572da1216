// A page of a PDF file as it looks, with the quotations on it; its text is one click away.
let wantsPages = false; // the reader chose pages; kept for the next source
let paged = null; // { document, marks, count, number } of the source that is open

function offerPages(reply, documentId, marks) {
  paged = reply.pages ? { document: documentId, marks, count: reply.pages, number: 1 } : null;
  const button = $("[data-do=view]");
  button.hidden = !paged;
  if (!paged) leavePages();
}

// Shows a page in place of the text, if the reader wants pages; returns what is shown.
async function showAsWanted(number) {
  if (!wantsPages || !paged || !number) return $(".panel-doc");
  await showPage(number);
  return $(".panel-page");
}

async function switchView() {
  wantsPages = $(".panel-page").hidden;
  if (wantsPages) await showPage(pageWanted());
  else leavePages();
  (wantsPages ? $(".panel-page") : $(".panel-doc")).focus({ preventScroll: true });
}

const pageWanted = () => (shown && shown.entry && shown.entry.page) || (paged && paged.number) || 1;

function leavePages() {
  $(".panel-page").hidden = true;
  $(".panel-doc").hidden = false;
  $("[data-do=view] span").textContent = "Page";
}

async function showPage(number) {
  if (!paged || number < 1 || number > paged.count) return;
  const mine = paged;
  mine.number = number;
  const pane = $(".panel-page");
  pane.hidden = false;
  $(".panel-doc").hidden = true;
  $("[data-do=view] span").textContent = "Text";
  const reply = await call("page_picture", { document: mine.document, number, marks: mine.marks });
  if (paged !== mine || mine.number !== number) return;
  const turned = $$("[data-page]", pane).indexOf(document.activeElement);
  pane.replaceChildren(pageBar(mine), reply.error ? make("p", reply.error, "error") : sheet(reply));
  if (turned >= 0) {
    const button = $$("[data-page]", pane)[turned]; // To be pressed again, but for the last page.
    (button.disabled ? pane : button).focus({ preventScroll: true });
  }
  const hit = $(".hit.active", pane) || $(".hit", pane);
  if (hit) hit.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  else pane.scrollTo({ top: 0 });
}

function sheet(reply) {
  const figure = make("figure", "", "sheet");
  const image = make("img");
  image.src = reply.image;
  image.width = reply.width;
  image.height = reply.height;
  image.alt = `Page ${paged.number} as it looks in the file`;
  figure.append(image);
  for (const box of reply.boxes) {
    const current = shown && shown.entry && shown.entry.n === box.n;
    const hit = make("div", "", `hit m-${box.kind}${current ? " active" : ""}`);
    for (const side of ["left", "top", "width", "height"]) hit.style[side] = `${box[side] * 100}%`;
    hit.dataset.n = box.n;
    figure.append(hit);
  }
  return figure;
}

function pageBar({ number, count }) {
  const bar = make("div", "", "page-bar");
  for (const [label, target] of [["Previous page", number - 1], ["Next page", number + 1]]) {
    const button = make("button", label === "Previous page" ? "‹" : "›", "tool bare");
    button.type = "button";
    button.dataset.page = target;
    button.disabled = target < 1 || target > count;
    button.setAttribute("aria-label", label);
    bar.append(button);
  }
  bar.firstChild.after(make("span", `Page ${number} of ${count}`));
  return bar;
}
