// A rebuild as it goes on, what it did, and what changed with it. It runs on the server: a reload
// of the page finds it again.
let buildSeen = sessionBuild();
let buildTimer = 0;

function sessionBuild(value) {
  try {
    if (value !== undefined) sessionStorage.setItem("rag-build", value);
    return sessionStorage.getItem("rag-build") || "";
  } catch { return value || ""; }
}

function followBuild(build, waiting) {
  const card = $(".lib-build");
  const focused = document.activeElement;
  const was = card.dataset.running === "yes";
  card.dataset.running = build.running ? "yes" : "no";
  const over = !build.running && build.id !== "" && build.id !== buildSeen;
  const wait = !build.running && !over && waiting && lib.known.may ? waiting : "";
  card.hidden = !(build.running || over || wait);
  card.classList.toggle("bad", Boolean(over && build.problem));
  const words = build.running
    ? [build.stage ? `Rebuilding: ${build.stage}` : "Rebuilding: starting", build.left && `${build.left} left`].filter(Boolean).join(", ")
    : over ? (build.problem || build.line) : wait;
  const line = $(".lib-now");
  if (line.textContent !== words) line.textContent = words;
  $("[data-lib=rebuild-now]").hidden = !(wait || (over && lib.known.may && (build.problem || waiting)));
  $("[data-lib=rebuild-now]").textContent = over && build.problem ? "Try again" : "Rebuild now";
  $("[data-lib=stop]").hidden = !build.running || !lib.known.may;
  $("[data-lib=dismiss]").hidden = !over;
  $(".lib-tools [data-lib=rebuild]").hidden = !lib.known.may || build.running
    || !$("[data-lib=rebuild-now]").hidden;
  if (focused.hidden) focusBuild(); // A button that goes takes the focus with it.
  showShare(build);
  const report = $(".lib-report");
  const html = over ? build.html : "";
  if (report.dataset.build !== `${build.id}${html.length}`) {
    report.innerHTML = html;
    report.dataset.build = `${build.id}${html.length}`;
  }
  clearTimeout(buildTimer);
  if (build.running) buildTimer = setTimeout(lookAtBuild, lib.view === "library" ? 500 : 2500);
  if (was && over) say(words);
}

function focusBuild() {
  const left = ["stop", "rebuild-now", "dismiss"].map((name) => $(`[data-lib=${name}]`));
  const next = left.findLast((button) => !button.hidden && !button.closest("[hidden]"));
  (next || $("#rag-library-title")).focus({ preventScroll: true });
}

function showShare(build) {
  const bar = $(".lib-bar");
  const percent = Math.floor(build.share * 100);
  bar.hidden = !build.running;
  bar.classList.toggle("unknown", !build.stage);
  if (build.stage) bar.setAttribute("aria-valuenow", percent);
  else bar.removeAttribute("aria-valuenow");
  $("i", bar).style.width = `${percent}%`;
}

async function lookAtBuild() {
  const build = await libCall("library_progress");
  if (build.error) { buildTimer = setTimeout(lookAtBuild, 3000); return; }
  if (build.running) { followBuild(build, ""); return; }
  await showLibrary();
  const changes = $(".lib-changes");
  if (!changes.hidden) fillChanges();
  refresh();
}

async function startBuild() {
  const build = await libCall("library_build");
  if (build.error) { tellProblem(build.error); return; }
  say("Rebuilding");
  followBuild(build, "");
  const stop = $("[data-lib=stop]");
  if (document.activeElement === document.body || document.activeElement === null) stop.focus();
}

async function stopBuild() {
  const reply = await libCall("library_stop");
  if (reply.error) tellProblem(reply.error);
  lookAtBuild();
}

function dismissBuild() {
  buildSeen = sessionBuild(lib.known.build.id);
  $("#rag-library-title").focus({ preventScroll: true });
  showLibrary();
}

async function showChanges(button) {
  const box = $(".lib-changes");
  const opening = box.hidden;
  button.setAttribute("aria-expanded", String(opening));
  box.hidden = !opening;
  if (opening) await fillChanges();
}

async function fillChanges() {
  const box = $(".lib-changes");
  const reply = await libCall("library_changes");
  if (reply.error) box.replaceChildren(make("p", sentence(reply.error), "dim"));
  else box.innerHTML = reply.html;
}

const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);
