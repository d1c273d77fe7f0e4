// A request sent again, as it was or changed, and one written by hand. The gateway sends it; this page only says what.

import { state } from "./console.js";
import { $, ask, post, say } from "./dom.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
// Of the connection that the request came by; the one that sends it again has its own.
const LEFT_OUT = new Set(["connection", "content-length", "host", "transfer-encoding", "x-stackyard-replay"]);
const MASK = "(not kept)";

let of = "";
let binary = null;

for (const method of METHODS) $("composer-method").append(new Option(method, method));

export function composeNew() {
  open("Send a request", "", { method: "GET", path: "/", headers: "", body: "" });
}

export async function openComposer(id) {
  const { request, summary } = await ask(`requests/${encodeURIComponent(id)}`);
  const hidden = request.headers.filter(([, value]) => value === MASK).map(([name]) => name);
  const body = request.body;
  const hints = [];
  if (hidden.length) hints.push(`${hidden.join(", ")} ${hidden.length === 1 ? "is" : "are"} not kept: type the value to send it.`);
  if (body.cut || !body.kept) hints.push("The body was too large to be kept whole.");
  if (body.base64) hints.push("The body is no text: it is sent as it was, unless you write another one.");
  open("Edit and send", hints.join(" "), {
    method: summary.method,
    path: summary.path + (summary.query ? `?${summary.query}` : ""),
    headers: request.headers
      .filter(([name]) => !LEFT_OUT.has(name.toLowerCase()))
      .map(([name, value]) => `${name}: ${value === MASK ? "" : value}`)
      .join("\n"),
    body: body.text ?? "",
  });
  of = id;
  binary = body.base64;
}

function open(title, hint, { method, path, headers, body }) {
  of = "";
  binary = null;
  $("composer-title").textContent = title;
  $("composer-hint").textContent = hint;
  $("composer-wrong").textContent = "";
  if (!METHODS.includes(method)) $("composer-method").append(new Option(method, method));
  $("composer-method").value = method;
  $("composer-path").value = path;
  $("composer-headers").value = headers;
  $("composer-body").value = body;
  $("composer").showModal();
  $("composer-path").focus();
}

function parseHeaders(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf(":");
    if (at < 1) throw new Error(`“${line}” is no header: write Name: value`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }).filter(([, value]) => value);
}

// A request takes up to 29 s; until then the button says so, and nothing is sent twice.
async function send(wanted, button) {
  const words = button?.textContent;
  if (button) {
    button.disabled = true;
    button.textContent = "Sending…";
  }
  try {
    const { id, status } = await post("replay", wanted);
    say(`Answered with ${status}`);
    if (id) location.hash = `#requests/${id}`;
  } finally {
    if (button) {
      button.disabled = false;
      button.textContent = words;
    }
  }
}

export async function sendAgain(id) {
  const button = document.querySelector("#detail .send");
  if (button?.disabled) return;
  try {
    const { request, summary } = await ask(`requests/${encodeURIComponent(id)}`);
    const whole = request.body.kept && !request.body.cut;
    if (!whole || request.headers.some(([, value]) => value === MASK)) {
      await openComposer(id);
      return;
    }
    await send({
      method: summary.method,
      path: summary.path + (summary.query ? `?${summary.query}` : ""),
      headers: request.headers.filter(([name]) => !LEFT_OUT.has(name.toLowerCase())),
      body: request.body.base64 ?? request.body.text ?? "",
      encoding: request.body.base64 ? "base64" : "text",
      of: id,
    }, button);
  } catch (error) {
    say(`Not sent: ${error.message}`);
    $("composer-wrong").textContent = error.message;
    if (state.requests.has(id) && !$("composer").open) {
      await openComposer(id);
      $("composer-wrong").textContent = `Not sent: ${error.message}`;
    }
  }
}

$("composer-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wrong = $("composer-wrong");
  wrong.textContent = "";
  try {
    const body = $("composer-body").value;
    const kept = binary !== null && !body;
    await send({
      method: $("composer-method").value,
      path: $("composer-path").value,
      headers: parseHeaders($("composer-headers").value),
      body: kept ? binary : body,
      encoding: kept ? "base64" : "text",
      of,
    }, $("composer-send"));
    $("composer").close();
  } catch (error) {
    wrong.textContent = error instanceof TypeError ? "The gateway does not answer." : error.message;
  }
});
$("composer-cancel").addEventListener("click", () => $("composer").close());
