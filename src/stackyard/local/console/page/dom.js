// Makes elements and words. Whatever comes from a request is text: nothing here takes markup.

export const $ = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  return fill(made, attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(made, attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false && each !== ""));
  return made;
}

export const duration = (ms) =>
  ms >= 10000 ? `${(ms / 1000).toFixed(1)} s` : ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;

export const bytes = (size) =>
  size >= 1e6 ? `${(size / 1e6).toFixed(1)} MB` : size >= 1e3 ? `${(size / 1e3).toFixed(1)} kB` : `${size} B`;

const two = (number) => String(number).padStart(2, "0");

export function clock(at, millis = false) {
  const time = new Date(at);
  const text = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return millis ? `${text}.${String(time.getMilliseconds()).padStart(3, "0")}` : text;
}

export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

const KINDS = { lambda: "Lambda", apprunner: "App Runner", ecs: "ECS Fargate", eks: "EKS" };
export const kindName = (kind) => KINDS[kind] ?? kind;

export const statusClass = (status) => `s${Math.floor(status / 100)}`;

const WORDS = {
  200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved", 302: "Found", 303: "See Other",
  304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
  403: "Forbidden", 404: "Not Found", 405: "Not Allowed", 409: "Conflict", 413: "Too Large", 415: "Unsupported",
  422: "Unprocessable", 429: "Too Many Requests", 500: "Server Error", 501: "Not Implemented", 502: "Bad Gateway",
  503: "Unavailable", 504: "Timed Out",
};
export const statusWord = (status) => WORDS[status] ?? "";

export function say(text) {
  $("said").textContent = text;
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
    return true;
  } catch {
    say(`${what} could not be copied`);
    return false;
  }
}

// JSON as people read it, with its parts marked; any other text as it is.
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

export function pretty(text) {
  const code = el("code");
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    code.append(text);
    return code;
  }
  if (data === null || typeof data !== "object") {
    code.append(text);
    return code;
  }
  const whole = JSON.stringify(data, null, 2);
  let at = 0;
  for (const found of whole.matchAll(TOKEN)) {
    code.append(whole.slice(at, found.index));
    const [all, string, colon, word] = found;
    const kind = string ? (colon ? "key" : "string") : word ? "word" : "number";
    code.append(el("span", { class: `j-${kind}` }, string ?? all));
    if (colon) code.append(colon);
    at = found.index + all.length;
  }
  code.append(whole.slice(at));
  return code;
}

export async function ask(path, options) {
  const answer = await fetch(path, options);
  const data = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(data.message ?? answer.statusText), { status: answer.status });
  return data;
}

export const post = (path, data) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(data) });
