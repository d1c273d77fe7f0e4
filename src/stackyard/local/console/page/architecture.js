// What is deployed, drawn: callers, the API, its routes, services, and the calls that services were seen to make.

import { state } from "./console.js";
import { $, el, kindName, plural, svg } from "./dom.js";

const ROW = 92;
const BOX = 62;
let drawn = "";

new ResizeObserver(() => state.system && !$("architecture").hidden && drawArchitecture(state.system)).observe($("drawing"));

export function drawArchitecture(system) {
  const width = Math.floor($("drawing").clientWidth);
  const calls = findCalls();
  const counts = countByService();
  const key = JSON.stringify([width, system.routes, system.services.map((each) => [each.name, each.state]), calls, counts]);
  if (key === drawn || !width) return;
  drawn = key;
  const picture = width < 640 ? drawNarrow(system, width, calls, counts) : drawWide(system, width, calls, counts);
  $("drawing").replaceChildren(picture);
  $("drawing-hint").textContent = `Read from the API that was applied: deployment ${system.deployment}, ${system.region}, stage ${system.stage}.`;
  showRoutes(system);
}

function findCalls() {
  const found = {};
  for (const { caller, service } of state.requests.values()) {
    if (caller && service) found[`${caller}>${service}`] = (found[`${caller}>${service}`] ?? 0) + 1;
  }
  return Object.entries(found).map(([pair, count]) => [...pair.split(">"), count]);
}

function countByService() {
  const found = {};
  for (const { service, caller, status } of state.requests.values()) {
    const own = (found[service || ""] ??= [0, 0]);
    if (!caller) own[0] += 1;
    if (status >= 500) own[1] += 1;
  }
  return found;
}

const text = (x, y, words, kind, anchor = "start") => svg("text", { x, y, class: kind, "text-anchor": anchor }, words);

function box(x, y, width, height, kind, ...lines) {
  return svg("g", { class: `box ${kind}` }, svg("rect", { x, y, width, height, rx: 10 }), ...lines);
}

function serviceBox(service, x, y, width) {
  const { name, kind, state: how } = service;
  const words = how === "running" ? kindName(kind) : `${kindName(kind)}, ${how}`;
  return svg("a", { href: `#requests?q=${encodeURIComponent(name)}`, "aria-label": `${name}: its requests` },
    box(x, y, width, BOX, `service ${how}`, svg("circle", { cx: x + 18, cy: y + 25, r: 5, class: "state" }),
      text(x + 32, y + 30, name, "name"), text(x + 32, y + 48, words, "soft")));
}

// Routes in the shortest words: /web and /web/{proxy+} are everything below /web.
function routeWords(system, name) {
  const own = system.routes.filter((each) => each.service === name);
  const paths = [...new Set(own.map((each) => each.path))];
  const roots = paths.filter((path) => paths.includes(`${path.replace(/\/$/, "")}/{proxy+}`));
  const words = roots.map((path) => `${path.replace(/\/$/, "")}/…`);
  for (const path of paths) {
    if (!roots.includes(path) && !roots.some((root) => path.startsWith(root.replace(/\/$/, "") + "/"))) words.push(path);
  }
  return (words.length > 2 ? `${words.slice(0, 2).join(", ")} +${words.length - 2}` : words.join(", ")) + (own.some((each) => each.key) ? "  (key)" : "");
}

function apiLines(system, x, y) {
  const limit = system.rate === null ? "no limit" : `${system.rate} a second, ${system.burst} at once`;
  return [
    text(x, y, "API Gateway", "name"),
    text(x, y + 19, `${system.api}, stage ${system.stage}`, "soft"),
    text(x, y + 36, limit, "soft"),
    system.keys ? text(x, y + 53, plural(system.keys, "API key"), "soft") : "",
  ];
}

function drawWide(system, width, calls, counts) {
  const { services } = system;
  const height = Math.max(2, services.length) * ROW + 16;
  const middle = height / 2;
  const apiX = 130;
  const apiWidth = Math.min(230, width * 0.25);
  const boxWidth = Math.min(230, width * 0.26);
  const boxX = width - boxWidth - (calls.length ? 96 : 8);
  const top = (at) => 8 + at * ROW + (ROW - BOX) / 2 + (services.length < 2 ? ROW / 2 : 0);
  const from = apiX + apiWidth;
  const parts = [
    box(2, middle - 26, 88, 52, "callers", text(46, middle + 5, "Callers", "name", "middle")),
    svg("path", { d: `M90 ${middle}H${apiX}`, class: "edge" }),
    box(apiX, middle - 48, apiWidth, 96, "api", ...apiLines(system, apiX + 16, middle - 20)),
  ];
  services.forEach((service, at) => {
    const y = top(at) + BOX / 2;
    const to = from + (boxX - from) * 0.45;
    const bend = (from + to) / 2;
    const [count, failed] = counts[service.name] ?? [0, 0];
    parts.push(svg("path", { d: `M${from} ${middle}C${bend} ${middle} ${bend} ${y} ${to} ${y}H${boxX}`, class: count ? "edge used" : "edge" }));
    parts.push(text(boxX - 10, y - 8, routeWords(system, service.name), "route", "end"));
    if (count) parts.push(text(boxX - 10, y + 17, failed ? `${count}, ${failed} failed` : String(count), failed ? "tally bad" : "tally", "end"));
    parts.push(serviceBox(service, boxX, top(at), boxWidth));
  });
  const place = new Map(services.map((each, at) => [each.name, top(at) + BOX / 2]));
  const right = boxX + boxWidth;
  calls.forEach(([caller, callee, count]) => {
    const [a, b] = [place.get(caller), place.get(callee)];
    if (a === undefined || b === undefined) return;
    const [start, end] = [a + 10, b - 10].sort((one, other) => (a < b ? one - other : other - one));
    const reach = right + 26 + Math.min(24, Math.abs(start - end) / 12);
    parts.push(svg("path", { d: `M${right} ${start}C${reach + 14} ${start} ${reach + 14} ${end} ${right + 7} ${end}`, class: "call" }));
    parts.push(svg("path", { d: `M${right + 1} ${end}l9 -5v10z`, class: "tip" }));
    parts.push(text(reach + 8, (start + end) / 2 + 4, `${count}`, "tally"));
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": describe(system, calls) }, ...parts);
}

function drawNarrow(system, width, calls, counts) {
  const { services } = system;
  const step = BOX + 44;
  const top = 134;
  const height = top + services.length * step;
  const parts = [box(1, 4, width - 2, 98, "api", ...apiLines(system, 18, 30))];
  services.forEach((service, at) => {
    const y = top + at * step + 22;
    const [count, failed] = counts[service.name] ?? [0, 0];
    const made = calls.filter(([caller]) => caller === service.name).map(([, callee, times]) => `calls ${callee} ×${times}`);
    const tally = [count && `${count}`, failed && `${failed} failed`, ...made].filter(Boolean).join(", ");
    parts.push(svg("path", { d: `M20 102V${y + BOX / 2 - 8}q0 8 8 8H40`, class: count ? "edge used" : "edge" }));
    parts.push(text(42, y - 8, routeWords(system, service.name), "route"));
    if (tally) parts.push(text(width - 2, y - 8, tally, failed ? "tally bad" : "tally", "end"));
    parts.push(serviceBox(service, 40, y, width - 42));
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": describe(system, calls) }, ...parts);
}

function describe(system, calls) {
  const services = system.services.map((each) => `${each.name} (${kindName(each.kind)}) at ${routeWords(system, each.name)}`);
  const seen = calls.map(([caller, callee, count]) => `${caller} called ${callee} ${count} times`);
  return ["API Gateway leads to", [...services, ...seen].join("; ")].join(" ");
}

function showRoutes(system) {
  const head = ["Method", "Path", "Service", "Key", "At most"].map((each) => el("th", { scope: "col" }, each));
  const rows = system.routes.map(({ verb, path, service, key, timeout }) => el("tr", {},
    el("td", { class: "mono" }, verb), el("td", { class: "mono" }, path), el("td", {}, service || "the gateway itself"),
    el("td", {}, key ? "asked for" : "none"), el("td", {}, `${timeout} s`)));
  $("routes").replaceChildren(el("table", { "aria-labelledby": "routes-title" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)));
}
