// Runs inside Gradio's js_on_load: `element` and `server` are given. HTML comes from the server,
// which escapes it; everything made here goes through textContent.
const root = element.querySelector(".rag");
const $ = (selector, from = root) => from.querySelector(selector);
const $$ = (selector, from = root) => [...from.querySelectorAll(selector)];
const narrow = matchMedia("screen and (max-width: 900px)"); // Paper is narrow as well.
const still = matchMedia("(prefers-reduced-motion: reduce)");
const store = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* private window */ } },
};

function make(tag, text = "", name = "") {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (name) node.className = name;
  return node;
}

// Words from outside run in the direction of their own script.
function direct(from, selector) {
  for (const node of $$(selector, from)) node.dir = "auto";
}

function say(words) {
  const status = $("[role=status]");
  status.textContent = "";
  setTimeout(() => { status.textContent = words; }, 60);
}

// A problem that has no place of its own is shown for a while, over whatever is open.
let complaint = 0;
function complain(words) {
  const notice = $(".notice");
  ($("dialog[open]") || root).append(notice); // A dialog covers all that is not in it.
  notice.hidden = false;
  notice.textContent = words;
  clearTimeout(complaint);
  complaint = setTimeout(() => { notice.hidden = true; }, 10_000);
}

async function call(name, payload) {
  const reply = await server[name](payload);
  if (reply && typeof reply === "object" && !reply.detail) return reply;
  return { error: await reachable()
    ? "Something went wrong on the server; its log says more."
    : "The server did not answer. Is it still running?" };
}

// Gradio returns nothing when a call fails, whether on the way or on the server: so ask again.
async function reachable() {
  try {
    return (await fetch(location.pathname, { method: "HEAD", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea");
    area.value = text;
    root.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
