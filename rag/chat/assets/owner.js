// The owner of the documents signs in once, for both: to see what people asked and thought, and to
// change the library. The secret is kept nowhere, and its token no longer than this tab.
let ownerToken = sessionToken();

function sessionToken(value) {
  try {
    if (value !== undefined) sessionStorage.setItem("rag-owner-token", value);
    return sessionStorage.getItem("rag-owner-token") || "";
  } catch { return value || ""; }
}

// Returns why not; "" if all went well.
async function becomeOwner(secret) {
  const reply = await call("sign_in", { secret });
  if (reply.error) return reply.error;
  setOwner(reply.token);
  say("Signed in as owner");
  return "";
}

function setOwner(token) {
  ownerToken = sessionToken(token);
  offerReview();
  if (lib.asked) showLibrary();
}

// A link that holds the key. It leaves the address bar before anything else can happen.
async function followOwner(secret) {
  writeLink();
  const problem = await becomeOwner(secret);
  if (problem) askSecret(problem);
  else if (keeping()) await openReview();
}

function askSecret(problem = "") {
  const dialog = $(".signing");
  $("form", dialog).reset();
  $("#rag-sign-wrong").textContent = problem;
  if (!dialog.open) dialog.showModal();
}

async function sendSecret(event) {
  event.preventDefault();
  const box = $("#rag-secret");
  const secret = box.value;
  box.value = "";
  const problem = await becomeOwner(secret);
  $("#rag-sign-wrong").textContent = problem;
  if (!problem) $(".signing").close();
}

async function signInOrOut() {
  if (!ownerToken) { askSecret(); return; }
  const token = ownerToken;
  setOwner("");
  $(".reviewed").replaceChildren();
  say("Signed out");
  await call("sign_out", { token });
}

function offerReview() {
  $("[data-do=review]").hidden = !ownerToken || !keeping();
  $("[data-do=sign]").textContent = ownerToken ? "Sign out" : "Sign in as owner";
}

async function openReview() {
  const reply = await call("review", { token: ownerToken });
  $(".drawer").close();
  if (reply.refused) { setOwner(""); askSecret(reply.error); return; }
  const list = $(".reviewed");
  list.innerHTML = reply.html || "";
  if (reply.error) list.append(make("p", reply.error, "error"));
  if (!$(".review").open) $(".review").showModal();
}

function watchOwner() {
  $(".signing form").addEventListener("submit", sendSecret);
  offerReview();
}
