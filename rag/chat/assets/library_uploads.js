// Uploads: every file is one request with the file as its body, and has a line of its own. The
// server checks all names first, so that nothing is sent in vain, and again when a file arrives.
let uploads = []; // { file, name, folder, state, words, node }
let sending = false;

function watchUploads(page) {
  const chooser = $(".lib-chooser");
  chooser.addEventListener("change", () => {
    const files = [...chooser.files].map((file) => ({ file, folder: "" }));
    chooser.value = "";
    offerUpload(files);
  });
  let depth = 0;
  const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const shade = (on) => { $(".lib-drop").hidden = !on; };
  const listen = (name, act) => document.addEventListener(name, (event) => {
    if (!root.isConnected || !carries(event)) return;
    event.preventDefault(); // Or the browser would leave the page for the file.
    act(event);
  });
  listen("dragenter", () => { depth += 1; if (mayDrop(page)) shade(true); });
  listen("dragover", (event) => { event.dataTransfer.dropEffect = mayDrop(page) ? "copy" : "none"; });
  listen("dragleave", () => { depth -= 1; if (depth <= 0) { depth = 0; shade(false); } });
  listen("drop", async (event) => {
    depth = 0;
    shade(false);
    if (mayDrop(page)) offerUpload(await droppedFiles(event.dataTransfer));
  });
}

const mayDrop = (page) => !page.hidden && Boolean(lib.known && lib.known.may) && !$("dialog[open]");

// Files, and the files in folders, with the folder that they were in.
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, folder: "" }));
  const found = [];
  const walk = async (entry, folder) => {
    if (found.length > 500) return;
    if (entry.isFile) {
      const file = await new Promise((done) => { entry.file(done, () => done(null)); });
      if (file) found.push({ file, folder });
      return;
    }
    const inside = folder ? `${folder}/${entry.name}` : entry.name;
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done) => { reader.readEntries(done, () => done([])); });
      if (!some.length) return;
      for (const one of some) await walk(one, inside);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}

// With a `problem`, it is offered once more: what was chosen is not to be chosen again.
function offerUpload(files, { folder = null, problem = "" } = {}) {
  if (!files.length) return;
  const dialog = $(".lib-into");
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  $(".lib-chosen").textContent = files.length === 1
    ? `${files[0].file.name}, ${inWords(size)}` : `${files.length.toLocaleString("en")} files, ${inWords(size)}`;
  const here = lib.collection && lib.known.folders.includes(lib.collection) ? lib.collection : "";
  $("#rag-folder").value = folder ?? here;
  $("#rag-into-wrong").textContent = problem;
  dialog.returnValue = "no";
  dialog.onclose = () => { if (dialog.returnValue === "yes") upload(files, $("#rag-folder").value.trim()); };
  dialog.showModal();
}

function inWords(size) {
  if (size < 1e3) return `${size} B`;
  return size < 1e6 ? `${Math.round(size / 1e3)} KB` : `${(size / 1e6).toFixed(1)} MB`;
}

async function upload(files, folder) {
  const reply = await libCall("library_check", {
    folder, files: files.map((one) => ({ name: one.file.name, size: one.file.size, folder: one.folder })),
  });
  if (reply.error) { offerUpload(files, { folder, problem: reply.error }); return; }
  const added = files.map(({ file, folder: inside }, n) => {
    const { reason, exists } = reply.files[n];
    const state = exists ? "exists" : reason ? "refused" : "queued";
    const place = [folder, inside].filter(Boolean).join("/");
    return { file, folder: place, state, words: reason, node: make("li") };
  });
  uploads.push(...added);
  $(".lib-files").append(...added.map((one) => one.node));
  for (const one of added) showUpload(one);
  $(".lib-uploads").hidden = false;
  $(".lib-uploads").focus({ preventScroll: true });
  sendNext();
}

function showUpload(one) {
  const words = {
    queued: "waits", sending: "", saved: "saved", kept: "kept as it was",
    refused: one.words, exists: "is there already",
  }[one.state];
  const name = make("span", "", "lib-file");
  name.append(make("bdi", one.saved || one.file.name));
  const parts = [name];
  if (one.state === "sending") {
    const bar = make("progress");
    bar.max = one.file.size || 1;
    bar.value = one.sent || 0;
    bar.setAttribute("aria-label", `Upload of ${one.file.name}`);
    parts.push(bar);
  } else {
    parts.push(make("span", words, "lib-fate"));
  }
  if (one.lost && one.state === "refused") parts.push(choice(one, "again", "Try again"));
  if (one.state === "exists") parts.push(choice(one, "replace", "Replace"), choice(one, "keep", "Keep"));
  one.node.className = `u-${one.state}`;
  one.node.replaceChildren(...parts);
  sumUploads();
}

function choice(one, what, label) {
  const button = make("button", label, "tool");
  button.type = "button";
  button.dataset.upload = what;
  button.setAttribute("aria-label", `${label} ${one.file.name}`);
  return button;
}

const uploadsThat = (...states) => uploads.filter((one) => states.includes(one.state));

function sumUploads() {
  const counts = [
    [uploadsThat("queued", "sending").length, "to go"], [uploadsThat("saved").length, "saved"],
    [uploadsThat("refused").length, "refused"], [uploadsThat("exists").length, "already there"],
  ];
  const words = counts.filter(([number]) => number).map(([number, what]) => `${number} ${what}`);
  $(".lib-sent").textContent = words.length ? `Uploads: ${words.join(", ")}` : "Uploads";
  $("[data-lib=replace-all]").hidden = uploadsThat("exists").length < 2;
}

async function sendNext() {
  if (sending) return;
  sending = true;
  for (let one = uploadsThat("queued")[0]; one; [one] = uploadsThat("queued")) await send(one);
  sending = false;
  say($(".lib-sent").textContent);
  showLibrary();
}

async function send(one) {
  one.state = "sending";
  showUpload(one);
  const reply = await put(one);
  if (reply.saved) Object.assign(one, { state: "saved", saved: reply.saved });
  else {
    const { exists, error: words, lost } = reply;
    Object.assign(one, { state: exists ? "exists" : "refused", words, lost });
  }
  showUpload(one);
}

// Not `fetch`: only this tells how much has been sent.
function put(one) {
  const address = new URL(location.href.split(/[?#]/)[0].replace(/\/?$/, "/library/files"));
  address.searchParams.set("name", one.file.name);
  address.searchParams.set("folder", one.folder);
  if (one.replace) address.searchParams.set("replace", "1");
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    if (ownerToken) request.setRequestHeader("X-Rag-Owner", ownerToken);
    request.upload.addEventListener("progress", (event) => {
      one.sent = event.loaded;
      const bar = $("progress", one.node);
      if (bar) bar.value = event.loaded;
    });
    request.addEventListener("load", () => {
      try { done(JSON.parse(request.responseText)); } catch { done({ error: "the server refused it" }); }
    });
    request.addEventListener("error", () => (
      done({ error: "did not arrive: the connection broke off", lost: true })
    ));
    request.send(one.file);
  });
}

function answerUpload(button) {
  const one = uploads.find((entry) => entry.node.contains(button));
  const next = uploadsThat("exists").find((entry) => entry !== one);
  const { upload: answer } = button.dataset;
  if (answer === "again") { one.state = "queued"; showUpload(one); }
  else settleUpload(one, answer === "replace");
  ((next && $("button", next.node)) || $(".lib-uploads")).focus({ preventScroll: true });
  sendNext();
}

function settleUpload(one, replace) {
  Object.assign(one, { replace, state: replace ? "queued" : "kept" });
  showUpload(one);
}

function replaceAll() {
  for (const one of uploadsThat("exists")) settleUpload(one, true);
  $(".lib-uploads").focus({ preventScroll: true });
  sendNext();
}

function closeUploads() {
  uploads = uploadsThat("queued", "sending");
  $(".lib-files").replaceChildren(...uploads.map((one) => one.node));
  sumUploads();
  $(".lib-uploads").hidden = uploads.length === 0;
  $("#rag-library-title").focus({ preventScroll: true });
}
