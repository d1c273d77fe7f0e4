// The list of requests: rows, filter, figures of the last minute.

import { state } from "./console.js";
import { composeNew } from "./composer.js";
import { $, clock, duration, el, plural, statusClass, svg } from "./dom.js";

const KEPT = 1000;
const MINUTE = 60;
let paused = false;
let held = [];
let recent = [];
let words = [];
let only = "all";

export function startRequests() {
  $("filter").addEventListener("input", refilter);
  $("only").addEventListener("change", refilter);
  $("tools").addEventListener("submit", (event) => event.preventDefault());
  $("pause").addEventListener("click", togglePause);
  showEmpty();
}

export function addRequests(summaries) {
  for (const each of summaries) {
    each.end = each.at + each.ms;
    state.requests.set(each.id, each);
    recent.push(each);
    relate(each);
  }
  while (state.requests.size > KEPT) {
    const [oldest] = state.requests.keys();
    state.requests.delete(oldest);
    if (!paused) document.getElementById(`r-${oldest}`)?.remove();
  }
  if (recent.length > 20000) recent = recent.slice(-10000);
  if (paused) held.push(...summaries);
  else prepend(summaries);
  $("requests-count").textContent = state.requests.size || "";
  if (held.length) $("pause").textContent = `Go on (${Math.min(held.length, KEPT)} new)`;
  showFigures();
  showEmpty();
}

export function clearRequests() {
  held = [];
  recent = [];
  $("list").replaceChildren();
  $("requests-count").textContent = "";
  showFigures();
  showEmpty();
}

// A call of one service to another comes by the gateway with the caller's trace; it begins after the caller's request
// and is told before it, since it is answered first.
const traces = new Map();

function relate(request) {
  if (!request.trace) return;
  const others = traces.get(request.trace) ?? [];
  for (const child of others) {
    if (!child.caller && child.service !== request.service && child.at >= request.at - 1) {
      child.caller = request.service;
      document.getElementById(`r-${child.id}`)?.querySelector(".marks").replaceWith(marks(child));
    }
  }
  others.push(request);
  traces.delete(request.trace);
  traces.set(request.trace, others);
  if (traces.size > KEPT) traces.delete(traces.keys().next().value);
}

function marks({ cold, replay_of: of, caller, error, service }) {
  const mark = (words, kind = "mark") => el("span", { class: kind }, words);
  return el("span", { class: "marks" }, cold && mark("cold", "mark cold"), of && mark("replay"), caller && mark(`from ${caller}`),
    error && !service && mark("refused"));
}

function row(request) {
  const { id, number, method, path, query, status, service, ms, at, cold } = request;
  const bar = Math.min(100, Math.log2(1 + ms) * 8);
  const fill = el("span", { class: cold ? "fill cold" : "fill" });
  fill.style.inlineSize = `${bar}%`;
  return el("li", { id: `r-${id}` },
    el("a", { href: `#requests/${id}`, class: "request", tabindex: "-1", "aria-current": id === state.chosen ? "true" : false },
      el("span", { class: `status ${statusClass(status)}` }, String(status)),
      el("span", { class: "method" }, method),
      el("span", { class: "path" }, path, query && el("span", { class: "query" }, `?${query}`)),
      marks(request),
      el("span", { class: "service" }, service || "gateway"),
      el("span", { class: "bar", "aria-hidden": "true" }, fill),
      el("span", { class: "ms" }, duration(ms)),
      el("time", { class: "clock", datetime: new Date(at).toISOString() }, clock(at)),
      el("span", { class: "number" }, `#${number}`)));
}

function prepend(summaries) {
  const fragment = document.createDocumentFragment();
  for (const each of summaries.slice(-KEPT)) {
    if (!state.requests.has(each.id) || !matches(each)) continue;
    fragment.prepend(row(each));
  }
  const list = $("list");
  list.prepend(fragment);
  while (list.childElementCount > KEPT) list.lastElementChild.remove();
  rove();
}

function rebuild() {
  $("list").replaceChildren();
  prepend([...state.requests.values()]);
  showEmpty();
}

function matches(request) {
  if (only === "errors" && request.status < 400) return false;
  if (only === "cold" && !request.cold) return false;
  if (only === "replays" && !request.replay_of) return false;
  return words.every((word) => {
    if (/^[1-5]xx$/.test(word)) return String(request.status)[0] === word[0];
    const { method, path, query, service, status, id, trace, error } = request;
    return `${method} ${path}?${query} ${service || "gateway"} ${status} ${id} ${trace} ${error}`.toLowerCase().includes(word);
  });
}

function refilter() {
  words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  only = $("only").value;
  rebuild();
}

function togglePause() {
  paused = !paused;
  const button = $("pause");
  button.setAttribute("aria-pressed", String(paused));
  button.textContent = paused ? "Go on" : "Pause";
  document.body.toggleAttribute("data-paused", paused);
  if (!paused) {
    held = [];
    rebuild();
  }
}

function showEmpty() {
  const empty = $("empty");
  const none = !$("list").childElementCount;
  empty.hidden = !none;
  if (!none) return;
  if (state.requests.size) {
    empty.replaceChildren(
      el("p", { class: "lead" }, "Nothing matches"),
      el("p", {}, `${plural(state.requests.size, "request")} kept, none with this filter.`),
      el("button", { class: "quiet", type: "button", onclick: () => {
        $("filter").value = "";
        $("only").value = "all";
        refilter();
        $("filter").focus();
      } }, "Show all"));
    return;
  }
  const address = state.system?.address ?? location.origin;
  empty.replaceChildren(
    el("p", { class: "lead" }, "No requests yet"),
    el("p", {}, "What goes through the gateway shows up here as it happens. Ask it something:"),
    el("pre", {}, el("code", {}, `curl ${address}/`)),
    el("button", { class: "send", type: "button", onclick: composeNew }, "Send a request"));
}

// The chosen row, and the one that Tab comes to

export function choose(id) {
  state.chosen = id;
  for (const each of $("list").querySelectorAll("[aria-current]")) each.removeAttribute("aria-current");
  document.getElementById(`r-${id}`)?.firstElementChild.setAttribute("aria-current", "true");
  rove();
}

function rove() {
  const list = $("list");
  const focused = document.activeElement?.closest?.("#list a");
  for (const each of list.querySelectorAll('a[tabindex="0"]')) each.tabIndex = -1;
  const at = focused ?? list.querySelector('[aria-current="true"]') ?? list.querySelector("a");
  if (at) at.tabIndex = 0;
}

export function move(step) {
  const list = $("list");
  const from = document.activeElement?.closest?.("#list li") ?? list.querySelector('[aria-current="true"]')?.parentElement;
  const to = from ? (step > 0 ? from.nextElementSibling : from.previousElementSibling) : list.firstElementChild;
  const link = to?.firstElementChild;
  if (!link) return;
  link.focus();
  rove();
  link.scrollIntoView({ block: "nearest" });
  if (document.body.hasAttribute("data-detail") && matchMedia("(min-width: 60rem)").matches) location.replace(link.href);
}

// The last minute

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

export function showFigures() {
  const now = Date.now();
  const from = now - MINUTE * 1000;
  let first = recent.length;
  while (first > 0 && recent[first - 1].end > from) first -= 1;
  const minute = recent.slice(first);
  const times = minute.map((each) => each.ms).sort((a, b) => a - b);
  const failed = minute.filter((each) => each.status >= 500).length;
  $("fig-rate").textContent = minute.length;
  $("fig-median").textContent = times.length ? duration(quantile(times, 0.5)) : "–";
  $("fig-slow").textContent = times.length ? duration(quantile(times, 0.95)) : "–";
  $("fig-errors").textContent = failed;
  $("fig-errors").classList.toggle("bad", failed > 0);
  $("fig-cold").textContent = minute.filter((each) => each.cold).length;
  const seconds = Array.from({ length: MINUTE }, () => [0, 0]);
  for (const each of minute) {
    const at = Math.min(MINUTE - 1, Math.max(0, Math.floor((each.end - from) / 1000)));
    seconds[at][each.status >= 500 ? 1 : 0] += 1;
  }
  const most = Math.max(4, ...seconds.map(([good, bad]) => good + bad));
  const spark = $("spark");
  spark.setAttribute("viewBox", `0 0 ${MINUTE * 4} 32`);
  spark.setAttribute("preserveAspectRatio", "none");
  spark.replaceChildren(...seconds.flatMap(([good, bad], at) => {
    const whole = Math.max(good + bad ? 2 : 1, ((good + bad) / most) * 32);
    const red = bad ? Math.max(2, (bad / most) * 32) : 0;
    const bar = (y, height, kind) => svg("rect", { x: at * 4, y, width: 3, height, class: kind });
    return [bar(32 - whole, whole, good + bad ? "some" : "none"), ...(red ? [bar(32 - red, red, "bad")] : [])];
  }));
}
