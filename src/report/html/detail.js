// What is chosen: a message's fields and octets, linked both ways, and what differs from its counterpart.
const detail = byId("detail");

function drawNothing() {
  detail.replaceChildren(element("p", { class: "hint" }, "Choose a message to see its fields and octets."));
}

const octets = (item) => data.bodies[item.b].x.match(/../g) || [];

// For each octet of both whether the other has it too: the longest common subsequence of what is between
// the common beginning and the common end.
function marks(own, other) {
  const result = [own.map(() => true), other.map(() => true)];
  const keep = (a, b) => { result[0][a] = result[1][b] = false; };
  let from = 0;
  let [a, b] = [own.length, other.length];
  while (from < a && from < b && own[from] === other[from]) keep(from, from), from += 1;
  while (a > from && b > from && own[a - 1] === other[b - 1]) a -= 1, b -= 1, keep(a, b);
  const [height, width] = [a - from, b - from];
  if (height * width > 250000 || height === width) {
    for (let at = 0; at < Math.min(height, width); at += 1) if (own[from + at] === other[from + at]) keep(from + at, from + at);
    return result;
  }
  const best = Array.from({ length: height + 1 }, () => new Uint16Array(width + 1));
  for (let i = height - 1; i >= 0; i -= 1) {
    for (let j = width - 1; j >= 0; j -= 1) {
      best[i][j] = own[from + i] === other[from + j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    }
  }
  for (let i = 0, j = 0; i < height && j < width;) {
    if (own[from + i] === other[from + j]) keep(from + i, from + j), i += 1, j += 1;
    else if (best[i + 1][j] >= best[i][j + 1]) i += 1;
    else j += 1;
  }
  return result;
}

// The path of every field, from the outside in.
function paths(fields) {
  const open = [];
  return fields.map(([depth, , , name]) => {
    open.length = depth;
    open.push(name);
    return open.join(" › ");
  });
}

// For each field whether the other message has one that says the same, and else what it says instead.
function differing(item, other) {
  const fields = data.bodies[item.b].f;
  const said = (one) => {
    const names = paths(data.bodies[one.b].f);
    const hex = data.bodies[one.b].x;
    return data.bodies[one.b].f.map(([, start, end, , , value], at) => ({ path: names[at], key: `${names[at]} ${value} ${hex.slice(2 * start, 2 * end)}`, value }));
  };
  const mine = said(item);
  if (!other) return fields.map(() => null);
  const theirs = said(other);
  const known = new Set(theirs.map((one) => one.key));
  const own = new Set(mine.map((one) => one.key));
  return mine.map((one) => {
    if (known.has(one.key)) return null;
    const instead = theirs.find((field) => field.path === one.path && !own.has(field.key));
    return instead ? instead.value : "";
  });
}

function drawMark(item) {
  detail.replaceChildren(
    element("h2", {}, element("i", { class: "kind " + item.e, "aria-hidden": "true" }, SIGNS[item.e]), ` ${item.e} · ${sheet().lanes[state.lane].label}`),
    element("p", { class: "where" }, `${time(item.t)} s`),
    element("p", { class: "mono" }, item.s));
}

function drawDetail(item, beside) {
  if (item.e) {
    drawMark(item);
    return;
  }
  const other = beside && beside.item.b !== item.b ? beside.item : null;
  const bytes = octets(item);
  const [mine, theirs] = other ? marks(bytes, octets(other)) : [[], []];
  const instead = differing(item, other);
  const name = other ? sheet().lanes[beside.lane].label : "";
  const tree = element("ul", { class: "tree", "aria-label": "fields" });
  const fields = data.bodies[item.b].f;
  fields.forEach(([depth, start, end, field, rfc, value], at) => {
    const differs = instead[at] !== null;
    const leaf = !(fields[at + 1]?.[0] > depth);
    const node = element("li", { "data-start": String(start), "data-end": String(end), tabindex: "0", class: (differs ? "differs" : "") + (leaf ? "" : " inner"),
      onclick: () => light(start, end, false), onkeydown: (event) => stepThrough(event, start, end) },
    element("span", { class: "at" }, String(start)),
    element("span", { class: "field" }, field), " ",
    element("span", { class: "value" + (differs && leaf ? " wrong" : "") }, value),
    differs && leaf && instead[at] ? element("span", { class: "instead" }, ` ${name}: ${instead[at]}`) : null, " ",
    element("span", { class: "rfc" }, rfc));
    node.style.setProperty("--depth", String(depth));
    tree.append(node);
  });
  const lane = sheet().lanes[state.lane];
  const blocks = [hexBlock(lane.label, bytes, mine, "own")];
  if (other) blocks.push(hexBlock(name, octets(other), theirs, "other"));
  const missing = sheet().rows[state.row].x && !other ? sheet().lanes.filter((_, at) => !itemAt(state.row, at)).map((one) => one.label) : [];
  detail.replaceChildren(...[
    element("h2", {}, `${item.k} · ${lane.label}`),
    element("p", { class: "where" }, `${item.t === null ? "" : `${time(item.t)} s · `}connection ${item.c} · from the ${item.d === 0 ? "speaker" : "peer"} · ${count(bytes.length, "octet")}`),
    element("p", { class: "says" }, data.bodies[item.b].s),
    other ? element("p", { class: "says other" }, element("strong", {}, `${name}: `), data.bodies[other.b].s) : null,
    missing.length ? element("p", { class: "wrong" }, `nothing here in ${missing.join(" and ")}`) : null,
    element("div", { class: "both" }, tree, element("div", { class: "octets" }, ...blocks))].filter(Boolean));
  const first = detail.querySelector(".own .wrong");
  if (first) light(Number(first.dataset.at), Number(first.dataset.at) + 1, true);
}

// Octets in rows of sixteen, each after its offset.
function hexBlock(label, bytes, marked, side) {
  const rows = [];
  for (let start = 0; start < bytes.length; start += 16) {
    const cells = bytes.slice(start, start + 16).map((byte, at) => element("span", {
      "data-at": String(start + at), class: (marked[start + at] ? "wrong" : "") + (at === 8 ? " half" : ""),
      ...(side === "own" ? { onclick: () => light(start + at, start + at + 1, true) } : {}) }, byte));
    rows.push(element("div", {}, element("b", {}, start.toString(16).padStart(4, "0")), ...cells));
  }
  return element("figure", { class: "hex " + side, "aria-label": `octets of ${label}` }, element("figcaption", {}, label), ...rows);
}

function stepThrough(event, start, end) {
  const items = [...detail.querySelectorAll(".tree li")];
  const at = items.indexOf(event.currentTarget);
  if (event.key === "Enter") light(start, end, false);
  else if (event.key === "ArrowDown") items[at + 1]?.focus();
  else if (event.key === "ArrowUp") items[at - 1]?.focus();
  else if (event.key === "Escape") ladder.focus();
  else return;
  event.preventDefault();
}

// Lights octets start to end and the fields that hold them, in the tree and in the hex.
function light(start, end, innermost) {
  detail.querySelectorAll(".own span").forEach((span) => {
    const at = Number(span.dataset.at);
    span.classList.toggle("lit", at >= start && at < end);
  });
  let best = null;
  detail.querySelectorAll(".tree li").forEach((item) => {
    const [from, to] = [Number(item.dataset.start), Number(item.dataset.end)];
    item.classList.toggle("lit", !innermost && from === start && to === end);
    if (innermost && from <= start && to >= end && (!best || to - from <= Number(best.dataset.end) - Number(best.dataset.start))) best = item;
  });
  if (!best) return;
  best.classList.add("lit");
  const list = best.parentNode;
  if (best.offsetTop < list.scrollTop || best.offsetTop > list.scrollTop + list.clientHeight - 40) {
    list.scrollTop = best.offsetTop - list.clientHeight / 2;
  }
}

// Last, everything is set going.
ladder.addEventListener("scroll", drawRows, { passive: true });
ladder.addEventListener("keydown", (event) => {
  const keys = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (event.key === "Enter") detail.querySelector(".tree li.lit, .tree li")?.focus();
  else if (event.key === "n") jump(1);
  else if (event.key === "p") jump(-1);
  else if (keys[event.key]) move(...keys[event.key]);
  else return;
  event.preventDefault();
});
byId("next").addEventListener("click", () => jump(1));
byId("previous").addEventListener("click", () => jump(-1));
byId("search").addEventListener("input", drawContents);
byId("failures").addEventListener("change", drawContents);
window.addEventListener("beforeprint", drawRows);
window.addEventListener("afterprint", drawRows);
byId("contents").open = !narrow.matches;
if (data.sheets.length < 2) document.body.classList.add("single");
summary();
drawContents();
const asked = data.sheets.findIndex((one) => "#" + encodeURIComponent(one.name) === location.hash);
show(asked >= 0 ? asked : Math.max(0, data.sheets.findIndex(wrong)), false);
