// Services: how each one is, and where it is reached.

import { state } from "./console.js";
import { $, duration, el, kindName, plural } from "./dom.js";

const WORDS = { running: "running", asleep: "asleep: starts with its next request", starting: "starting", broken: "does not start" };

export function showServices(system) {
  const cards = $("cards");
  const focused = document.activeElement?.id;
  if (!system.services.length) {
    cards.replaceChildren(el("li", { class: "empty" }, el("p", { class: "lead" }, "No services yet"),
      el("p", {}, "Add one, then deploy it:"), el("pre", {}, el("code", {}, "inv add-service shop && inv deploy --env local"))));
    return;
  }
  cards.replaceChildren(...system.services.map(card));
  if (focused) document.getElementById(focused)?.focus();
}

function card(service) {
  const { name, kind, path, state: how, trouble, requests, starts, waiting, processes, memory, version, group } = service;
  const seen = [...state.requests.values()].filter((each) => each.service === name);
  const times = seen.map((each) => each.ms).sort((a, b) => a - b);
  const failed = seen.filter((each) => each.status >= 500).length;
  const root = path.replace(/\/$/, "");
  const fact = (title, value) => el("div", {}, el("dt", {}, title), el("dd", {}, value));
  return el("li", { class: "card", "data-state": how },
    el("div", { class: "card-top" }, el("h3", {}, name), el("span", { class: "kind" }, kindName(kind))),
    el("p", { class: "how" }, el("span", { class: "dot", "aria-hidden": "true" }), WORDS[how] ?? how,
      waiting ? el("span", { class: "soft" }, `, ${plural(waiting, "request")} waiting`) : null),
    trouble && el("p", { class: "reason" }, trouble),
    el("dl", { class: "card-facts" },
      fact("Requests", String(requests)),
      fact("Median", times.length ? duration(times[Math.floor(times.length / 2)]) : "–"),
      fact("Failed", failed ? el("span", { class: "bad" }, String(failed)) : "0"),
      fact(kind === "lambda" ? "Cold starts" : "Starts", String(starts))),
    el("p", { class: "soft fine" },
      processes.length ? processes.map(([pid, doing]) => `process ${pid || "…"} ${doing}`).join(", ") : "no process"),
    el("p", { class: "soft fine" }, `${memory} MiB · version ${version} · ${group}`),
    el("p", { class: "card-links" },
      el("a", { id: `open-${name}`, href: `${root}/`, target: "_blank", rel: "noopener", "aria-label": `Open ${name}` }, `${root}/`),
      el("a", { id: `docs-${name}`, href: `${root}/docs`, target: "_blank", rel: "noopener" }, "Docs", el("span", { class: "unseen" }, ` of ${name}`)),
      el("a", { id: `seen-${name}`, href: `#requests?q=${encodeURIComponent(name)}` }, "Requests", el("span", { class: "unseen" }, ` of ${name}`))));
}
