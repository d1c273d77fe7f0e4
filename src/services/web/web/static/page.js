// The page: asks every service's health while somebody looks, and sends what the form says. All requests go from the
// browser to the page's own origin; what comes back is only ever shown as text.

const LEAST_PERIOD = 5000; // ms between two rounds
const MS_A_SERVICE = 250; // a round of a hundred services takes its time
const PATIENCE = 10000; // ms for one health check
const CHECKS_SHOWN = 30;
const LONGEST_SHOWN = 200_000; // characters of a body
const KINDS = { lambda: "Lambda", apprunner: "App Runner", ecs: "ECS", eks: "EKS" };
const BODYLESS = new Set(["GET", "HEAD"]);

const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const { stage } = document.documentElement.dataset;
const find = (id) => document.getElementById(id);
const cards = new Map();
let timer, round, paused = false;

// ---- what is there

async function begin() {
  try {
    const answer = await fetch(`${root}/services.json`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const services = (await answer.json()).map(describe);
    services.forEach(addCard);
    find("path").value = services.find((each) => each.example)?.example ?? services[0]?.health ?? "/";
    check();
  } catch (error) {
    summarize("down", `The list of services could not be read: ${error.message}. Reload the page to try again.`);
  }
}

// The list has paths without the stage, and an example below the service's own path.
function describe({ name, kind, path, api_key, example }) {
  const whole = stage + path;
  const below = whole.replace(/\/$/, "");
  return {
    name,
    kind: KINDS[kind] ?? kind,
    path: whole,
    health: `${below}/health`,
    docs: `${below}/docs`,
    example: example && below + example,
    api_key,
  };
}

function addCard(service) {
  const card = find("service").content.cloneNode(true).querySelector("li");
  const part = (selector) => card.querySelector(selector);
  part(".name").textContent = service.name;
  part(".name").href = service.path;
  part(".kind").textContent = service.kind;
  part(".path code").textContent = service.path;
  part(".docs").href = service.docs;
  for (const unseen of card.querySelectorAll(".unseen")) unseen.textContent = ` (${service.name})`;
  part(".try").addEventListener("click", () => offer("GET", service.example ?? service.health));
  find("services").append(card);
  cards.set(service.name, { service, card, part, state: "checking", checks: [] });
  for (const path of new Set([service.example, service.health])) {
    if (!path) continue;
    const option = document.createElement("option");
    option.value = path;
    find("examples").append(option);
  }
}

// ---- health

async function check() {
  clearTimeout(timer);
  if (document.hidden || paused) return;
  round?.abort();
  const own = (round = new AbortController());
  await Promise.all([...cards.values()].map((each) => checkOne(each, own.signal)));
  if (own.signal.aborted) return;
  tellSummary();
  timer = setTimeout(check, period());
}

async function checkOne(each, signal) {
  const key = find("key").value;
  const began = performance.now();
  let state = "down", word;
  try {
    const answer = await fetch(each.service.health, {
      cache: "no-store",
      headers: key && each.service.api_key ? { "x-api-key": key } : {},
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    });
    await answer.arrayBuffer();
    if (answer.ok) [state, word] = ["ok", "healthy"];
    else if (answer.status === 403 && each.service.api_key) [state, word] = ["key", key ? "key refused" : "needs a key"];
    else if (answer.status === 429) [state, word] = ["key", "throttled"];
    else word = `down: HTTP ${answer.status}`;
  } catch (error) {
    if (signal.aborted) return;
    word = error.name === "TimeoutError" ? `down: no answer within ${PATIENCE / 1000} s` : "down: unreachable";
  }
  const ms = performance.now() - began;
  each.state = state;
  each.checks = [...each.checks, { state, ms }].slice(-CHECKS_SHOWN);
  each.card.dataset.state = state;
  setText(each.part(".word"), word);
  setText(each.part(".ms"), state === "ok" ? milliseconds(ms) : "");
  drawTrend(each.part(".trend"), each.checks);
}

function drawTrend(svg, checks) {
  const most = Math.max(20, ...checks.map((each) => (each.state === "ok" ? each.ms : 0)));
  const none = Array.from({ length: CHECKS_SHOWN - checks.length }, () => ({ state: "none" }));
  const heights = { ok: (ms) => Math.max(2, (24 * ms) / most), key: () => 2, down: () => 24, none: () => 2 };
  const bars = [...none, ...checks].map(({ state, ms }, index) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = heights[state](ms);
    const place = { class: state, x: 4 * index, y: 24 - height, width: 3, height };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, value);
    return bar;
  });
  svg.replaceChildren(...bars);
}

function tellSummary() {
  const all = [...cards.values()];
  const down = all.filter((each) => each.state === "down").map((each) => each.service.name);
  const closed = all.filter((each) => each.state === "key").length;
  const seconds = Math.round(period() / 1000);
  setText(find("checked"), `Checked ${new Date().toLocaleTimeString()}, every ${seconds} s`);
  if (down.length) summarize("down", `${down.length} of ${count(all.length)} down: ${down.join(", ")}`);
  else if (closed) summarize("ok", `${all.length - closed} of ${count(all.length)} healthy, ${closed} not let in`);
  else summarize("ok", all.length === 1 ? "The one service is healthy" : `All ${count(all.length)} are healthy`);
}

function summarize(state, text) {
  find("summary").dataset.state = state;
  setText(find("summary"), text);
}

function period() {
  return Math.max(LEAST_PERIOD, cards.size * MS_A_SERVICE);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(timer);
    round?.abort();
  } else check();
});

find("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.target.textContent = paused ? "Resume" : "Pause";
  clearTimeout(timer);
  if (paused) {
    round?.abort();
    setText(find("checked"), "Paused");
  } else check();
});

// ---- the form

let request;

find("method").addEventListener("change", showBody);
find("key").addEventListener("change", check);
find("body").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) find("form").requestSubmit();
});
find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

function offer(method, path) {
  find("method").value = method;
  find("path").value = path;
  showBody();
  find("form").scrollIntoView({ block: "nearest" });
  find("path").focus();
}

function showBody() {
  find("body-field").hidden = BODYLESS.has(find("method").value);
}

async function send() {
  const url = new URL(find("path").value, location.origin);
  if (url.origin !== location.origin) return tellStatus("down", "Only this address can be asked.");
  const method = find("method").value;
  const body = BODYLESS.has(method) || !find("body").value ? undefined : find("body").value;
  const headers = {};
  if (body !== undefined) headers["content-type"] = isJson(body) ? "application/json" : "text/plain";
  if (find("key").value) headers["x-api-key"] = find("key").value;
  request?.abort();
  const own = (request = new AbortController());
  tellStatus(null, "Waiting for the answer…");
  const began = performance.now();
  try {
    const answer = await fetch(url, { method, headers, body, cache: "no-store", signal: own.signal });
    const content = await answer.arrayBuffer();
    if (!own.signal.aborted) show(answer, content, performance.now() - began);
  } catch (error) {
    if (own.signal.aborted) return;
    find("answer").hidden = true;
    tellStatus("down", `No answer: ${error.message}`);
  }
}

function show(answer, content, ms) {
  const rows = [...answer.headers].map(([name, value]) => {
    const row = document.createElement("tr");
    const [head, cell] = [document.createElement("th"), document.createElement("td")];
    head.scope = "row";
    head.textContent = name;
    cell.textContent = value;
    row.append(head, cell);
    return row;
  });
  find("headers").replaceChildren(...rows);
  find("content").textContent = readable(answer.headers.get("content-type") ?? "", content);
  find("answer").hidden = false;
  const state = answer.ok ? "ok" : answer.status < 500 ? "key" : "down";
  const from = answer.redirected ? `, redirected to ${new URL(answer.url).pathname}` : "";
  const status = [answer.status, answer.statusText].filter(Boolean).join(" ");
  tellStatus(state, `${status} in ${milliseconds(ms)}, ${bytes(content.byteLength)}${from}`);
}

function readable(type, content) {
  if (!content.byteLength) return "(empty)";
  if (type && !/^text\/|[/+](json|xml|javascript|x-www-form-urlencoded)/.test(type)) {
    return `(${bytes(content.byteLength)} of ${type})`;
  }
  let text = new TextDecoder().decode(content);
  if (isJson(text)) text = JSON.stringify(JSON.parse(text), null, 2);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}\n… (${text.length - LONGEST_SHOWN} more)` : text;
}

function tellStatus(state, text) {
  if (state) find("status").dataset.state = state;
  else delete find("status").dataset.state;
  setText(find("status"), text);
}

// ---- words

// Only what has changed is written: a status that is set again would be read out again.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const count = (number) => `${number} ${number === 1 ? "service" : "services"}`;
const milliseconds = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
const bytes = (size) => (size < 1024 ? `${size} bytes` : `${(size / 1024).toFixed(1)} KiB`);

begin();
