// What the owner of the documents sees: questions without an answer, and feedback.
function becomeOwner(key) {
  store.set("rag-owner", key);
  writeLink();
  offerReview();
  openReview();
}

function offerReview() {
  $("[data-do=review]").hidden = !store.get("rag-owner") || !keeping();
}

async function openReview() {
  const reply = await call("review", { key: store.get("rag-owner") || "" });
  const list = $(".reviewed");
  list.innerHTML = reply.html || "";
  if (reply.error) list.append(make("p", reply.error, "error"));
  $(".drawer").close();
  if (!$(".review").open) $(".review").showModal();
}
