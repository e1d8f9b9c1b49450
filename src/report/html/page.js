"use strict";
// Draws what the element "data" holds: sheets; of each, lanes of messages and marks in aligned rows.
// This part: the head, the contents, and which sheet is shown.
const data = JSON.parse(document.getElementById("data").textContent);
const state = { sheet: 0, row: -1, lane: 0 };
const byId = (id) => document.getElementById(id);

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

function count(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function time(microseconds) {
  return microseconds === null ? "" : (microseconds / 1e6).toFixed(6);
}

const sheet = () => data.sheets[state.sheet];
const good = (lane) => lane.verdict === "passed" || lane.verdict === "same";
const wrong = (one) => one.notes.length > 0 || one.lanes.some((lane) => lane.verdict && !good(lane));

function summary() {
  const runs = data.sheets.flatMap((one) => one.lanes.filter((lane) => lane.verdict));
  const bad = runs.filter((lane) => !good(lane)).length;
  const box = byId("summary");
  box.className = data.sheets.some(wrong) ? "bad" : "good";
  box.textContent = data.headline || (bad > 0
    ? `${bad} of ${count(runs.length, "run")} failed, ${count(data.sheets.length, "scenario")}`
    : `all ${count(runs.length, "run")} of ${count(data.sheets.length, "scenario")} passed`);
  byId("made").textContent = data.made;
}

function drawContents() {
  const judged = (one) => one.lanes.filter((lane) => lane.verdict);
  const modes = [...new Set(data.sheets.flatMap((one) => judged(one).map((lane) => lane.label)))];
  const plain = data.of === "Connection";
  document.querySelector("#overview thead tr").replaceChildren(
    ...[data.of, ...(plain ? [""] : modes)].map((name) => element("th", { scope: "col" }, name)));
  const only = byId("failures").checked;
  const asked = byId("search").value.trim().toLowerCase();
  const mark = (lane) => element("td", { class: lane ? lane.verdict : "", title: lane ? lane.verdict : "not run" },
    lane ? (good(lane) ? "✓" : "✗") : "–", lane && plain ? ` ${lane.verdict}` : null);
  const rows = data.sheets.map((one, index) => {
    if ((only && !wrong(one)) || !one.name.toLowerCase().includes(asked)) return null;
    return element("tr", { "data-sheet": String(index), class: index === state.sheet ? "current" : "" },
      element("th", { scope: "row" }, element("button", { onclick: () => show(index, true) }, one.name)),
      ...(plain ? [mark(judged(one)[0])] : modes.map((mode) => mark(one.lanes.find((lane) => lane.label === mode && lane.verdict)))));
  }).filter(Boolean);
  document.querySelector("#overview tbody").replaceChildren(...rows);
  const bad = data.sheets.filter(wrong).length;
  document.querySelector("#contents summary").replaceChildren(
    count(data.sheets.length, data.of.toLowerCase()), bad ? element("span", { class: "bad" }, ` · ${bad} wrong`) : "");
}

function drawHead(one) {
  const lanes = one.lanes.map((lane) => element("div", { class: "lane " + (lane.verdict || "") },
    element("dt", {}, lane.label, lane.verdict ? element("span", { class: "badge " + lane.verdict }, lane.verdict) : null),
    element("dd", {}, lane.facts)));
  const notes = one.notes.map((note, at) => element("div", { class: "divergence" },
    element("h3", {}, note.title),
    element("dl", {}, ...note.lines.flatMap(([label, text]) => [
      element("dt", {}, label.replace(/:$/, "")), element("dd", { class: /^(golden|found|plan)$/.test(label) ? "mono" : "" }, text)])),
    note.again ? element("p", { class: "again" }, element("code", {}, note.again),
      element("button", { class: "copy", onclick: (event) => copy(note.again, event.target) }, "copy")) : null,
    note.row >= 0 ? element("button", { class: "goto", onclick: () => choose(note.row, note.lane, true) },
      one.lanes[note.lane].items[one.rows[note.row].i[note.lane]].e ? "Show where it struck ↓" : at === 0 || note.again ? "Show the first divergence ↓" : "Show this one ↓") : null));
  byId("scenario").replaceChildren(...[
    element("h2", {}, one.name),
    one.about ? element("p", { class: "about" }, one.about) : null,
    one.why ? element("p", { class: "why" }, one.why) : null,
    element("dl", { class: "facts" }, ...lanes),
    notes.length ? element("div", { class: "notes" }, ...notes) : null].filter(Boolean));
}

function copy(text, button) {
  navigator.clipboard?.writeText(text).then(() => { button.textContent = "copied"; }, () => {});
}

function show(index, focus) {
  if (!data.sheets[index]) {
    byId("scenario").replaceChildren(element("p", {}, "There is no BGP in either capture."));
    byId("timeline").hidden = byId("detail").hidden = true;
    return;
  }
  state.sheet = index;
  state.row = -1;
  state.lane = 0;
  const rows = document.querySelectorAll("#overview tr[data-sheet]");
  rows.forEach((row) => row.classList.toggle("current", row.dataset.sheet === String(index)));
  const current = document.querySelector("#overview tr.current");
  const list = document.querySelector("nav");
  if (current && (current.offsetTop < list.scrollTop + 30 || current.offsetTop > list.scrollTop + list.clientHeight - 40)) {
    list.scrollTop = current.offsetTop - list.clientHeight / 2;
  }
  drawHead(sheet());
  drawLadder();
  const note = sheet().notes.find((one) => one.row >= 0);
  if (note) choose(note.row, note.lane);
  else drawNothing();
  if (focus) {
    if (narrow.matches) byId("contents").open = false;
    byId("main").focus({ preventScroll: true });
    window.scrollTo(0, narrow.matches ? byId("main").offsetTop : 0);
  }
  history.replaceState(null, "", "#" + encodeURIComponent(sheet().name));
}

const narrow = window.matchMedia("(max-width: 60rem)");
