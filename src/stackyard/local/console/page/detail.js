// One request: what went in, what came out, how long it took, what was logged meanwhile.

import { openComposer, sendAgain } from "./composer.js";
import { state } from "./console.js";
import { $, ask, bytes, clock, copy, duration, el, pretty, statusClass, statusWord } from "./dom.js";
import { lineRow } from "./logs.js";

let shown = "";

export function closeDetail() {
  const { chosen } = state;
  const focused = $("detail").contains(document.activeElement);
  shown = "";
  $("detail").hidden = true;
  $("detail").replaceChildren();
  document.querySelector('#list [aria-current="true"]')?.removeAttribute("aria-current");
  state.chosen = "";
  if (focused && chosen) document.getElementById(`r-${chosen}`)?.firstElementChild.focus();
}

export async function openDetail(id) {
  const pane = $("detail");
  shown = id;
  pane.hidden = false;
  if (!pane.dataset.id) pane.replaceChildren(el("p", { class: "empty" }, "…"));
  let found;
  try {
    found = await ask(`requests/${encodeURIComponent(id)}`);
  } catch (error) {
    if (shown === id) pane.replaceChildren(missing(error));
    return;
  }
  if (shown !== id) return;
  pane.replaceChildren(...render(found));
  pane.scrollTop = 0;
}

function missing(error) {
  const words = error.status === 404
    ? ["This request is no longer kept", "The gateway keeps the last 1,000, until it ends or they are cleared."]
    : ["This request could not be read", error.message];
  return el("div", { class: "empty" }, el("p", { class: "lead" }, words[0]), el("p", {}, words[1]),
    el("a", { class: "button quiet", href: "#requests" }, "Back to the list"));
}

function render({ summary, request, answer, event, lines, curl, hidden }) {
  const { id, method, path, query, status, service, error } = summary;
  const copyCurl = el("button", { class: "quiet", type: "button", onclick: async () => {
    if (await copy(curl, "The command")) copyCurl.textContent = "Copied";
  } }, "Copy as curl");
  return [
    el("header", { class: "detail-top" },
      el("a", { class: "close", href: "#requests", "aria-label": "Close the request" }, "×"),
      el("h2", { class: "target" }, el("span", { class: "method" }, method), " ", path, query && el("span", { class: "query" }, `?${query}`)),
      el("p", { class: "verdict" },
        el("span", { class: `status ${statusClass(status)}` }, `${status} ${statusWord(status)}`.trim()),
        el("span", {}, service || "answered by the gateway itself"),
        summary.cold === null ? null : el("span", { class: summary.cold ? "mark cold" : "mark" }, summary.cold ? "cold start" : "warm")),
      error && el("p", { class: "reason" }, error),
      timing(summary),
      el("div", { class: "actions" },
        el("button", { class: "send", type: "button", onclick: () => sendAgain(id) }, "Send again"),
        el("button", { class: "quiet", type: "button", onclick: () => openComposer(id) }, "Edit and send"),
        copyCurl)),
    part("Answer", bodyWords(answer.body), true, bodyOf(answer.body, "the answer"), headersOf(answer.headers, "Answer headers")),
    part("Request", bodyWords(request.body), true,
      request.body.size ? bodyOf(request.body, "the request’s body") : null,
      headersOf(request.headers, "Request headers"),
      hidden.length ? el("p", { class: "hint" }, `${hidden.join(", ")}: a secret, so its value is not kept.`) : null),
    event ? part("Event", "what the function was given", false, code(JSON.stringify(event), "the event")) : null,
    part("Log", lines.length ? String(lines.length) : "no line names this request", lines.length > 0,
      lines.length ? el("ol", { class: "log small" }, ...lines.map((each) => lineRow(each))) : null),
    facts(summary),
  ].filter(Boolean);
}

function timing({ ms, service_ms: inside, service }) {
  const own = inside === null ? ms : Math.max(0, ms - inside);
  const bar = el("div", { class: "timing", "aria-hidden": "true" });
  const piece = (kind, share) => {
    const made = el("span", { class: kind });
    made.style.flexGrow = String(share);
    bar.append(made);
  };
  if (inside !== null) piece("inside", inside);
  piece("own", Math.max(own, ms * 0.01));
  const words = inside === null ? "the gateway alone" : `${duration(inside)} ${service}, ${duration(own)} gateway`;
  return el("div", { class: "time" }, el("p", {}, el("strong", {}, duration(ms)), " ", el("span", { class: "soft" }, words)), bar);
}

function part(title, words, open, ...children) {
  return el("details", { class: "part", open },
    el("summary", {}, el("h3", {}, title), " ", el("span", { class: "soft" }, words)),
    ...children);
}

function bodyWords(body) {
  if (!body.size) return "no body";
  return body.cut ? `${bytes(body.size)}, cut` : bytes(body.size);
}

function bodyOf(body, what) {
  if (!body.size) return el("p", { class: "hint" }, "The body is empty.");
  if (!body.kept) return el("p", { class: "hint" }, "This body is no longer kept: newer large ones took its place.");
  if (body.text === null) return el("p", { class: "hint" }, `${bytes(body.size)} that are no text.`);
  return el("div", {}, code(body.text, what), body.cut ? el("p", { class: "hint" }, `Cut: the first 64 KiB of ${bytes(body.size)}.`) : null);
}

function code(text, what) {
  const made = pretty(text);
  const word = el("span", {}, "Copy");
  const button = el("button", { class: "quiet copy", type: "button", onclick: async () => {
    if (await copy(made.textContent, what)) word.textContent = "Copied";
  } }, word, el("span", { class: "unseen" }, ` ${what}`));
  return el("div", { class: "code" }, el("pre", { tabindex: "0", "aria-label": what }, made), button);
}

function headersOf(headers, label) {
  return el("details", { class: "headers" },
    el("summary", {}, `${label} (${headers.length})`),
    el("table", { "aria-label": label }, el("tbody", {}, ...headers.map(([name, value]) =>
      el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value))))));
}

function facts({ id, trace, at, resource, replay_of: of, number }) {
  const rows = [
    ["Request", id],
    ["Trace", trace],
    ["Route", resource || "none"],
    ["Began", `${clock(at, true)}, #${number}`],
  ];
  return el("dl", { class: "facts" },
    ...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
    of ? el("div", {}, el("dt", {}, "Sent again from"), el("dd", {}, el("a", { href: `#requests/${of}` }, of))) : null);
}
