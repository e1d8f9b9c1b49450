"use strict";
// Draws what the element "data" holds: scenarios; for each, lanes of messages in aligned rows.
const data = JSON.parse(document.getElementById("data").textContent);
const ROW = 30;
const overview = document.querySelector("#overview tbody");
const ladder = document.getElementById("ladder");
const detail = document.getElementById("detail");
const state = { scenario: 0, row: -1, lane: 0 };

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function time(microseconds) {
  if (microseconds === null) return "";
  return (microseconds / 1e6).toFixed(6) + " s";
}

function good(lane) {
  return lane.verdict === "passed" || lane.verdict === "same";
}

function failed(scenario) {
  return scenario.lanes.some((lane) => lane.verdict && !good(lane));
}

function drawOverview() {
  const modes = [...new Set(data.scenarios.flatMap((s) => s.lanes.filter((l) => l.verdict).map((l) => l.label)))];
  document.querySelector("#overview thead tr").replaceChildren(
    ...[data.of || "Scenario", ...modes].map((name) => element("th", { scope: "col" }, name)));
  const only = document.getElementById("filter").value === "failed";
  overview.replaceChildren();
  data.scenarios.forEach((scenario, index) => {
    if (only && !failed(scenario)) return;
    overview.append(element("tr", { "data-scenario": String(index), class: index === state.scenario ? "current" : "" },
      element("td", {}, element("button", { onclick: () => show(index, true) }, scenario.name)),
      ...modes.map((mode) => {
        const lane = scenario.lanes.find((l) => l.label === mode);
        return element("td", { class: lane ? lane.verdict : "" }, lane ? `${good(lane) ? "✓" : "✗"} ${lane.verdict}` : "–");
      })));
  });
}

function summary() {
  const runs = data.scenarios.flatMap((s) => s.lanes.filter((l) => l.verdict));
  const right = runs.filter(good).length;
  document.getElementById("summary").textContent = data.summary ? `${data.summary} · ${data.made}` :
    `${data.scenarios.length} scenario(s), ${runs.length} run(s), ${right} passed, ${runs.length - right} failed · ${data.made}`;
}

// The message that stands in `lane` of `row`, or null.
function messageAt(row, lane) {
  const scenario = data.scenarios[state.scenario];
  const index = scenario.rows[row]?.m[lane];
  return index === undefined || index < 0 ? null : scenario.lanes[lane].messages[index];
}

function show(index, focus) {
  state.scenario = index;
  state.row = -1;
  const scenario = data.scenarios[index];
  overview.querySelectorAll("tr").forEach((row) => row.classList.toggle("current", row.dataset.scenario === String(index)));
  const current = overview.querySelector("tr.current");
  const list = current?.closest("nav");
  if (list && (current.offsetTop < list.scrollTop || current.offsetTop > list.scrollTop + list.clientHeight - 40)) {
    list.scrollTop = current.offsetTop - list.clientHeight / 2;
  }
  const box = document.getElementById("scenario");
  const facts = scenario.lanes.map((lane) => element("p", {}, element("strong", {}, lane.label), " ",
    lane.verdict ? element("span", { class: lane.verdict }, lane.verdict) : null, ` ${lane.facts}`));
  const notes = (scenario.notes || []).map((note, at) => element("div", { class: "divergence" },
    element("pre", {}, note.text.replace(/^ {6}/gm, "").trimEnd()),
    note.row >= 0 ? element("button", { class: "goto", onclick: () => choose(note.row, note.lane, true) }, at === 0 || note.again ? "Go to the first divergence" : "Go to this one") : null));
  box.replaceChildren(...[
    element("h2", {}, scenario.name),
    scenario.about ? element("p", {}, scenario.about) : null,
    scenario.why ? element("p", { class: "why" }, scenario.why) : null,
    element("div", { class: "facts" }, ...facts),
    element("div", { class: "notes" }, ...notes)].filter(Boolean));
  ladder.style.setProperty("--lanes", String(scenario.lanes.length));
  const head = element("div", { class: "head", role: "row" }, ...scenario.lanes.map((lane) =>
    element("div", { role: "columnheader" }, lane.label, element("small", {}, lane.caption || "speaker → peer"))));
  const canvas = element("div", { class: "canvas" });
  canvas.style.height = `${scenario.rows.length * ROW}px`;
  ladder.replaceChildren(head, canvas);
  ladder.scrollTop = 0;
  detail.replaceChildren(element("p", { class: "hint" }, "Choose a message to see its fields and octets."));
  drawRows();
  const note = (scenario.notes || []).find((n) => n.row >= 0);
  if (note) choose(note.row, note.lane);
  if (focus) document.getElementById("main").focus();
  history.replaceState(null, "", "#" + encodeURIComponent(scenario.name));
}

// Only the rows in view are in the document, so that ten thousand messages stay quick.
function drawRows() {
  const canvas = ladder.querySelector(".canvas");
  if (!canvas) return;
  const scenario = data.scenarios[state.scenario];
  const printing = window.matchMedia("print").matches;
  const first = printing ? 0 : Math.max(0, Math.floor(ladder.scrollTop / ROW) - 10);
  const last = printing ? scenario.rows.length : Math.min(scenario.rows.length, first + Math.ceil((ladder.clientHeight || 600) / ROW) + 20);
  canvas.replaceChildren();
  for (let at = first; at < last; at += 1) canvas.append(drawRow(scenario, at));
}

function drawRow(scenario, at) {
  const row = scenario.rows[at];
  const node = element("div", { class: "row" + (row.x ? " differs" : ""), role: "row", "aria-rowindex": String(at + 1) });
  node.style.top = `${at * ROW}px`;
  scenario.lanes.forEach((lane, index) => {
    if (row.e && row.e[index]) {
      node.append(element("div", { class: "cell event", role: "gridcell", title: row.e[index][1] },
        element("time", {}, time(row.e[index][0])), element("span", { class: "what" }, row.e[index][1])));
      return;
    }
    const message = row.m[index] >= 0 ? lane.messages[row.m[index]] : null;
    if (!message) {
      node.append(element("div", { class: "cell empty", role: "gridcell" }, row.e ? "" : "·"));
      return;
    }
    const chosen = state.row === at && state.lane === index;
    node.append(element("div", { class: "cell" + (chosen ? " chosen" : ""), role: "gridcell", "aria-selected": String(chosen), title: message.s,
      onclick: () => choose(at, index) },
      element("time", {}, time(message.t)),
      message.d === 0 ? element("span", { class: "arrow", "aria-label": "from the speaker" }, "──▶") : element("span", { class: "in", "aria-label": "from the peer" }, "◀──"),
      element("span", { class: "what" }, element("span", { class: "kind" }, message.k), " ", rest(message))));
  });
  return node;
}

// The summary without the kind, which it begins with.
function rest(message) {
  return message.s.startsWith(message.k) ? message.s.slice(message.k.length).trim() : message.s;
}

function choose(row, lane, reveal) {
  const message = messageAt(row, lane);
  if (!message) return;
  state.row = row;
  state.lane = lane;
  const top = row * ROW;
  if (top < ladder.scrollTop || top > ladder.scrollTop + ladder.clientHeight - 3 * ROW) {
    ladder.scrollTop = Math.max(0, top - ladder.clientHeight / 2);
  }
  drawRows();
  drawDetail(message, counterpart(row, lane));
  if (reveal) ladder.scrollIntoView({ block: "start" });
}

// The message in the same row of another lane, to mark what differs.
function counterpart(row, lane) {
  const scenario = data.scenarios[state.scenario];
  for (let other = 0; other < scenario.lanes.length; other += 1) {
    if (other !== lane && messageAt(row, other)) return messageAt(row, other);
  }
  return null;
}

function octets(message) {
  return data.bodies[message.b].x.match(/../g) || [];
}

function drawDetail(message, other) {
  const bytes = octets(message);
  const theirs = other ? octets(other) : bytes;
  const spans = bytes.map((byte, at) => element("span", { "data-at": String(at), class: byte === theirs[at] ? "" : "wrong",
    onclick: () => light(at, at + 1, true) }, byte));
  const tree = element("ul", { class: "tree" });
  for (const [depth, start, end, name, rfc, value] of data.bodies[message.b].f) {
    const differs = bytes.slice(start, end).join("") !== theirs.slice(start, end).join("");
    const item = element("li", { "data-start": String(start), "data-end": String(end), tabindex: "0", class: differs ? "differs" : "",
      onclick: () => light(start, end, false), onkeydown: (event) => event.key === "Enter" && light(start, end, false) },
      name, " ", element("span", { class: "value" + (differs ? " wrong" : "") }, value), " ", element("span", { class: "rfc" }, `${rfc} · ${start}–${end - 1}`));
    item.style.paddingLeft = `${depth + 0.25}rem`;
    tree.append(item);
  }
  const lane = data.scenarios[state.scenario].lanes[state.lane];
  detail.replaceChildren(
    element("h2", {}, `${message.k} · ${lane.label}`),
    element("p", {}, `${message.t === null ? "" : time(message.t) + ", "}connection ${message.c}, ${message.d === 0 ? "from the speaker" : "from the peer"}, ${bytes.length} octets`),
    element("p", {}, message.s),
    element("div", { class: "both" }, tree, element("div", { class: "hex", "aria-label": "octets" }, ...spans)));
  const wrong = detail.querySelector(".hex .wrong");
  if (wrong) light(Number(wrong.dataset.at), Number(wrong.dataset.at) + 1, true);
}

// Lights octets start to end and the fields that hold them, in the tree and in the hex.
function light(start, end, innermost) {
  detail.querySelectorAll(".hex span").forEach((span) => {
    const at = Number(span.dataset.at);
    span.classList.toggle("lit", at >= start && at < end);
  });
  let best = null;
  detail.querySelectorAll(".tree li").forEach((item) => {
    const [from, to] = [Number(item.dataset.start), Number(item.dataset.end)];
    item.classList.toggle("lit", !innermost && from === start && to === end);
    if (innermost && from <= start && to >= end && (!best || to - from <= Number(best.dataset.end) - Number(best.dataset.start))) best = item;
  });
  if (best) {
    best.classList.add("lit");
    const list = best.parentNode;
    if (best.offsetTop < list.scrollTop || best.offsetTop > list.scrollTop + list.clientHeight - 40) {
      list.scrollTop = best.offsetTop - list.clientHeight / 2;
    }
  }
}

function move(rows, lanes) {
  const scenario = data.scenarios[state.scenario];
  const lane = Math.min(scenario.lanes.length - 1, Math.max(0, state.lane + lanes));
  for (let row = state.row + rows; row >= 0 && row < scenario.rows.length; row += rows || 1) {
    if (messageAt(row, lane)) return choose(row, lane);
    if (!rows) return undefined;
  }
  return undefined;
}

ladder.addEventListener("scroll", drawRows, { passive: true });
ladder.addEventListener("keydown", (event) => {
  const keys = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (event.key === "Enter") detail.querySelector(".tree li")?.focus();
  else if (keys[event.key]) move(...keys[event.key]);
  else return;
  event.preventDefault();
});
document.getElementById("filter").addEventListener("change", drawOverview);
window.addEventListener("beforeprint", drawRows);
summary();
drawOverview();
const asked = data.scenarios.findIndex((s) => "#" + encodeURIComponent(s.name) === location.hash);
const broken = data.scenarios.findIndex(failed);
show(asked >= 0 ? asked : Math.max(0, broken), false);
