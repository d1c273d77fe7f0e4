// Lines of services and of the gateway, the newest last.

import { $, clock, el, plural } from "./dom.js";

const KEPT = 1000;
const LEVELS = ["debug", "info", "warning", "error", "critical"];
const SHOWN = new Set(["status", "method", "path"]);
let lines = [];
let following = true;
let words = [];

export function startLogs() {
  $("log-filter").addEventListener("input", rebuild);
  $("log-service").addEventListener("change", rebuild);
  $("log-level").addEventListener("change", rebuild);
  $("log-tools").addEventListener("submit", (event) => event.preventDefault());
  $("log-level").value = "info";
  $("follow").addEventListener("click", () => setFollowing(!following));
  $("log-pane").addEventListener("wheel", (event) => event.deltaY < 0 && setFollowing(false), { passive: true });
  new IntersectionObserver((seen) => seen[0].isIntersecting && toEnd()).observe($("log-pane"));
  showEmpty();
}

export function addLines(news) {
  lines.push(...news);
  const over = lines.length - KEPT;
  if (over > 0) lines = lines.slice(over);
  const services = $("log-service");
  for (const { service } of news) {
    if (![...services.options].some((each) => each.value === service)) services.append(new Option(service, service));
  }
  const list = $("log");
  list.append(...news.slice(-KEPT).filter(matches).map((each) => lineRow(each)));
  while (list.childElementCount > KEPT) list.firstElementChild.remove();
  $("logs-count").textContent = lines.length || "";
  showEmpty();
  toEnd();
}

export function clearLines() {
  lines = [];
  $("log").replaceChildren();
  $("logs-count").textContent = "";
  showEmpty();
}

export function lineRow(line) {
  const { at, service, level, message, details, fields, ids } = line;
  const more = Object.entries(fields).filter(([name]) => !SHOWN.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ");
  return el("li", { class: `line ${level}` },
    el("time", { class: "clock", datetime: new Date(at).toISOString() }, clock(at, true)),
    el("span", { class: "service" }, service),
    el("span", { class: "level" }, level),
    el("span", { class: "message" }, message, more && el("span", { class: "soft" }, ` ${more}`)),
    details && el("details", { class: "trace" }, el("summary", {}, details.trim().split("\n").at(-1)), el("pre", { tabindex: "0" }, details)),
    ids.length > 0 && el("span", { hidden: true }, ids.join(" ")) || null);
}

function matches(line) {
  if ($("log-service").value && line.service !== $("log-service").value) return false;
  if (LEVELS.indexOf(line.level) < LEVELS.indexOf($("log-level").value)) return false;
  const text = `${line.service} ${line.level} ${line.message} ${line.details} ${JSON.stringify(line.fields)} ${line.ids.join(" ")}`;
  return words.every((word) => text.toLowerCase().includes(word));
}

function rebuild() {
  words = $("log-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  $("log").replaceChildren(...lines.filter(matches).map((each) => lineRow(each)));
  showEmpty();
  toEnd();
}

function showEmpty() {
  const empty = $("log-empty");
  empty.hidden = $("log").childElementCount > 0;
  if (empty.hidden) return;
  empty.replaceChildren(...(lines.length
    ? [el("p", { class: "lead" }, "Nothing matches"), el("p", {}, `${plural(lines.length, "line")} kept, none with this filter.`)]
    : [el("p", { class: "lead" }, "No lines yet"), el("p", {}, "What services print shows up here, whoever called them.")]));
}

function setFollowing(wanted) {
  following = wanted;
  $("follow").setAttribute("aria-pressed", String(wanted));
  toEnd();
}

function toEnd() {
  if (following) $("log-pane").scrollTop = $("log-pane").scrollHeight;
}
