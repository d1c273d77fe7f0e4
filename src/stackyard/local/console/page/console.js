// The page: what is shown, the news from the gateway, keys. Views are in files of their own.

import { drawArchitecture } from "./architecture.js";
import { composeNew, openComposer, sendAgain } from "./composer.js";
import { closeDetail, openDetail } from "./detail.js";
import { $, ask, clock, el, post, say } from "./dom.js";
import { addLines, clearLines, startLogs } from "./logs.js";
import { addRequests, choose, clearRequests, move, showFigures, startRequests } from "./requests.js";
import { showServices } from "./services.js";

export const state = { system: null, requests: new Map(), chosen: "", epoch: "", seen: "" };
const VIEWS = ["requests", "services", "architecture", "logs"];
const SILENCE = 13000;
const HIDDEN = 15000;

// Where we are: #requests, #requests/<id>, #requests?q=words, #services, …

function place() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [view, id = ""] = path.split("/");
  return { view: VIEWS.includes(view) ? view : "requests", id, words: new URLSearchParams(query).get("q") };
}

function show() {
  const { view, id, words } = place();
  for (const each of VIEWS) $(each).hidden = each !== view;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = view;
  document.body.toggleAttribute("data-detail", view === "requests" && Boolean(id));
  if (view === "requests") {
    if (words !== null) {
      $("filter").value = words;
      $("filter").dispatchEvent(new Event("input"));
    }
    if (id) {
      choose(id);
      openDetail(id);
    } else closeDetail();
  }
  showSystem();
}

// At once: the browser tells of a new address only later, and the next key may be there before.
function go(view) {
  location.hash = `#${view}`;
  show();
}

function showSystem() {
  const { system } = state;
  if (!system) return;
  $("project").textContent = system.project;
  document.title = `${system.project} · Stackyard console`;
  $("stage").textContent = system.stage;
  $("stage").hidden = false;
  $("address").textContent = system.address.replace("http://", "");
  $("address").href = system.address;
  $("address").hidden = false;
  const broken = system.services.filter((each) => each.state === "broken").length;
  $("services-count").replaceChildren(...(broken ? [String(broken), el("span", {}, " broken")] : [String(system.services.length)]));
  $("services-count").classList.toggle("bad", broken > 0);
  const { view } = place();
  if (view === "services") showServices(system);
  if (view === "architecture") drawArchitecture(system);
}

// News

let source = null;
let heard = 0;
let lostAt = 0;
let hiddenTimer = 0;

function connect() {
  source?.close();
  source = new EventSource(state.seen ? `events?since=${encodeURIComponent(state.seen)}` : "events");
  heard = Date.now();
  source.onopen = live;
  source.onmessage = (event) => {
    live();
    state.seen = event.lastEventId;
    take(JSON.parse(event.data));
  };
  source.addEventListener("beat", live);
  source.onerror = lost;
}

function live() {
  heard = Date.now();
  lostAt = 0;
  document.body.dataset.link = "live";
  $("link-word").textContent = "live";
  $("lost").hidden = true;
}

function lost() {
  if (document.hidden && !source) return;
  lostAt ||= Date.now();
  document.body.dataset.link = "lost";
  $("link-word").textContent = "not connected";
  const banner = $("lost");
  if (banner.hidden) {
    banner.replaceChildren(
      el("strong", {}, "The gateway does not answer"),
      ` since ${clock(lostAt)}. This page goes on by itself as soon as it does. `,
      el("code", {}, "inv up"), " starts it; one that was started with ", el("code", {}, "--no-console"), " has no console.",
    );
    banner.hidden = false;
  }
}

function take(news) {
  if (news.epoch) {
    state.epoch = news.epoch;
    state.requests.clear();
    clearRequests();
    clearLines();
    closeIfGone();
  }
  if (news.system) state.system = news.system;
  if (news.requests) addRequests(news.requests);
  if (news.lines) addLines(news.lines);
  if (news.system) showSystem();
  else if (news.requests && place().view === "architecture") drawArchitecture(state.system);
}

function closeIfGone() {
  const { id } = place();
  if (id) openDetail(id);
}

// A page that nobody sees holds no connection: a browser has six of them for one address.
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(() => {
      source?.close();
      source = null;
    }, HIDDEN);
  } else if (!source) connect();
});

setInterval(() => {
  showFigures();
  if (!source) return;
  if (source.readyState === EventSource.CLOSED || Date.now() - heard > SILENCE) {
    lost();
    if (Date.now() - heard > 2000) connect();
  }
}, 1000);

// Keys

const typing = (target) => target.closest("input, textarea, select, dialog");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const { view, id } = place();
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (event.target.matches("input")) event.target.blur();
    else if (id) location.hash = "#requests";
    return;
  }
  if (typing(event.target)) return;
  const key = event.key;
  const act = {
    "/": () => $(view === "logs" ? "log-filter" : "filter").focus(),
    "?": () => $("help").showModal(),
    n: composeNew,
    p: () => $("pause").click(),
    r: () => id && sendAgain(id),
    e: () => id && openComposer(id),
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
  }[key];
  if (key >= "1" && key <= "4") go(VIEWS[Number(key) - 1]);
  else if (!act) return;
  else if (key === "/" && view !== "requests" && view !== "logs") {
    go("requests");
    $("filter").focus();
  } else if (["j", "k", "ArrowDown", "ArrowUp"].includes(key) && (view !== "requests" || event.target.closest(".detail"))) return;
  else act();
  event.preventDefault();
});

$("help-open").addEventListener("click", () => $("help").showModal());
$("new").addEventListener("click", composeNew);
$("clear").addEventListener("click", async () => {
  try {
    await post("clear", {});
    location.hash = "#requests";
    say("All requests and lines are forgotten");
  } catch (error) {
    say(`Not cleared: ${error.message}`);
  }
});
document.querySelector(".skip").addEventListener("click", () => setTimeout(() => $("filter").focus()));
window.addEventListener("hashchange", show);

startRequests();
startLogs();
show();
connect();
ask("system").then((system) => {
  state.system ??= system;
  showSystem();
}, () => {});
