// Runs inside Gradio's js_on_load: `element` and `server` are given. HTML comes from the server,
// which escapes it; everything made here goes through textContent.
const root = element.querySelector(".rag");
const $ = (selector, from = root) => from.querySelector(selector);
const $$ = (selector, from = root) => [...from.querySelectorAll(selector)];
const narrow = matchMedia("(max-width: 900px)");
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

function say(words) {
  const status = $("[role=status]");
  status.textContent = "";
  setTimeout(() => { status.textContent = words; }, 60);
}

async function call(name, payload) {
  let reply;
  try {
    reply = await server[name](payload);
  } catch {
    return { error: "The server did not answer. Is it still running?" };
  }
  return reply && typeof reply === "object" && !reply.detail
    ? reply : { error: "Something went wrong on the server; its log says more." };
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
