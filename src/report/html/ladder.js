// The ladder: lanes side by side, rows in the order of time.
const ROW = 32;
const ladder = byId("ladder");
// What may be left out, with its sign in the legend.
const KINDS = [
  ["out", "──▶", "speaker"], ["in", "◀──", "peer"], ["keepalive", "·", "KEEPALIVE"],
  ["state", "◆", "state"], ["connection", "○", "connection"], ["program", "▸", "API"], ["fault", "⚡", "fault"]];
const SIGNS = Object.fromEntries(KINDS.map(([kind, sign]) => [kind, sign]));
const hidden = new Set();
// The numbers of the rows that are shown, and each row's place among them.
let rows = [];
let places = new Map();
// The name of the connection, where there is one alone: it need not be said of every mark.
let only = null;

function itemAt(row, lane) {
  const index = sheet().rows[row]?.i[lane];
  return index === undefined || index < 0 ? null : sheet().lanes[lane].items[index];
}

function kindOf(item) {
  if (item.e) return item.e;
  if (item.k === "KEEPALIVE") return "keepalive";
  return item.d === 0 ? "out" : "in";
}

function items(row) {
  return sheet().lanes.map((_, lane) => itemAt(row, lane));
}

function drawLadder() {
  const one = sheet();
  for (const lane of one.lanes) lane.timeless = lane.items.every((item) => item.t === null);
  const found = new Set(one.lanes.flatMap((lane) => lane.items.map(kindOf)));
  document.querySelector(".legend").replaceChildren(...KINDS.filter(([kind]) => found.has(kind)).map(([kind, sign, name]) =>
    element("button", { class: "kind " + kind, "aria-pressed": String(!hidden.has(kind)), title: "show or hide", onclick: () => {
      if (!hidden.delete(kind)) hidden.add(kind);
      drawLadder();
    } }, element("i", { "aria-hidden": "true" }, sign), name)));
  rows = one.rows.map((_, row) => row).filter((row) => one.rows[row].x || items(row).some((item) => item && !hidden.has(kindOf(item))));
  places = new Map(rows.map((row, place) => [row, place]));
  const names = new Set(one.lanes.flatMap((lane) => lane.items.map((item) => item.c)).filter(Boolean));
  only = names.size === 1 ? `${[...names][0]} ` : null;
  ladder.style.setProperty("--lanes", String(one.lanes.length));
  const head = element("div", { class: "head", role: "row" }, ...one.lanes.map((lane) =>
    element("div", { role: "columnheader", class: lane.verdict || "" }, lane.label, element("small", {}, lane.caption))));
  const canvas = element("div", { class: "canvas" });
  canvas.style.height = `${rows.length * ROW}px`;
  const top = ladder.dataset.sheet === String(state.sheet) ? ladder.scrollTop : 0;
  ladder.dataset.sheet = String(state.sheet);
  ladder.replaceChildren(head, canvas);
  ladder.scrollTop = top;
  const differences = one.rows.filter((row) => row.x).length;
  byId("differences").textContent = differences ? `${count(differences, "row")} differ${differences === 1 ? "s" : ""}` : "no difference";
  byId("previous").disabled = byId("next").disabled = differences === 0;
  drawRows();
}

// Only the rows in view are in the document, so that ten thousand messages stay quick.
function drawRows() {
  const canvas = ladder.querySelector(".canvas");
  if (!canvas) return;
  const printing = window.matchMedia("print").matches;
  const first = printing ? 0 : Math.max(0, Math.floor(ladder.scrollTop / ROW) - 10);
  const last = printing ? rows.length : Math.min(rows.length, first + Math.ceil((ladder.clientHeight || 600) / ROW) + 20);
  const nodes = [];
  for (let place = first; place < last; place += 1) nodes.push(drawRow(place));
  canvas.replaceChildren(...nodes);
}

// When a row is: in the first lane that has a clock.
function when(row) {
  for (const item of items(row)) if (item && item.t !== null) return item.t;
  return null;
}

// How long it was quiet before a row, where that is long.
function pause(place) {
  const now = when(rows[place]);
  for (let before = place - 1; before >= 0 && now !== null; before -= 1) {
    const then = when(rows[before]);
    if (then !== null) return now - then >= 1e6 ? `${((now - then) / 1e6).toFixed(1)} s later` : null;
  }
  return null;
}

function drawRow(place) {
  const at = rows[place];
  const one = sheet();
  const row = one.rows[at];
  const all = items(at);
  const struck = all.some((item) => item && item.e === "fault");
  const later = pause(place);
  const node = element("div", { class: "row" + (row.x ? " differs" : "") + (struck ? " struck" : "") + (later ? " pause" : ""),
    role: "row", "aria-rowindex": String(at + 1) });
  if (later) node.dataset.pause = later;
  node.style.top = `${place * ROW}px`;
  all.forEach((item, lane) => node.append(drawCell(one, row, at, lane, item)));
  return node;
}

function drawCell(one, row, at, lane, item) {
  if (!item) return element("div", { class: "cell empty", role: "gridcell" }, one.lanes[lane].timeless ? null : element("time"), element("span", { class: "wire" }, row.x ? "nothing" : ""));
  const chosen = state.row === at && state.lane === lane;
  const kind = kindOf(item);
  const attributes = { role: "gridcell", "aria-selected": String(chosen), onclick: () => choose(at, lane) };
  const clock = one.lanes[lane].timeless ? null : element("time", {}, time(item.t));
  if (item.e) {
    return element("div", { class: `cell mark ${kind}${chosen ? " chosen" : ""}`, title: item.s, ...attributes }, clock,
      element("span", { class: "wire" }, element("i", { "aria-label": kind }, SIGNS[kind]), element("span", { class: "what" }, only && item.s.startsWith(only) ? item.s.slice(only.length) : item.s)));
  }
  const body = data.bodies[item.b];
  const label = one.connections > 1 ? element("small", {}, item.c, " ") : null;
  return element("div", { class: `cell message ${item.d === 0 ? "out" : "in"} ${item.k.toLowerCase()}${chosen ? " chosen" : ""}`, title: body.s, ...attributes }, clock,
    element("span", { class: "wire", "aria-label": item.d === 0 ? "from the speaker" : "from the peer" },
      element("span", { class: "what" }, label, element("b", {}, item.k), " ", rest(item.k, body.s))));
}

// The summary without the kind, which it begins with.
function rest(kind, text) {
  return text.startsWith(kind) ? text.slice(kind.length).trim() : text;
}

function choose(row, lane, reveal) {
  const item = itemAt(row, lane);
  if (!item) return;
  state.row = row;
  state.lane = lane;
  if (!places.has(row)) {
    hidden.clear();
    drawLadder();
  }
  const top = places.get(row) * ROW;
  if (top < ladder.scrollTop || top > ladder.scrollTop + ladder.clientHeight - 3 * ROW) {
    ladder.scrollTop = Math.max(0, top - ladder.clientHeight / 2 + ROW);
  }
  drawRows();
  drawDetail(item, counterpart(row, lane));
  if (reveal) byId("timeline").scrollIntoView({ block: "start" });
}

// The message of another lane in the same row, and its lane: one that is not the same, or the first.
function counterpart(row, lane) {
  const others = sheet().lanes.map((_, other) => other).filter((other) => other !== lane && itemAt(row, other)?.k);
  const apart = others.find((other) => itemAt(row, other).b !== itemAt(row, lane).b);
  const found = apart ?? others[0];
  return found === undefined ? null : { item: itemAt(row, found), lane: found };
}

function move(by, lanes) {
  const lane = Math.min(sheet().lanes.length - 1, Math.max(0, state.lane + lanes));
  const here = state.row < 0 ? -1 : places.get(state.row);
  for (let place = here + by; place >= 0 && place < rows.length; place += by || 1) {
    if (itemAt(rows[place], lane)) return choose(rows[place], lane);
    if (!by) return undefined;
  }
  return undefined;
}

// To the next row that differs, or the one before.
function jump(by) {
  for (let row = state.row + by; row >= 0 && row < sheet().rows.length; row += by) {
    if (sheet().rows[row].x) {
      const lanes = sheet().lanes.map((_, lane) => lane).reverse();
      return choose(row, lanes.find((lane) => itemAt(row, lane)));
    }
  }
  return undefined;
}
