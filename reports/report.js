"use strict";
// What a reader may do with the report: fold its parts, filter its entries, sort its tables, follow the gap graph.
// The page is whole without it. Nothing is stored, nothing is fetched, and print shows all that there is.
(() => {
  const main = document.getElementById("main");
  const all = (selector, within = main) => [...within.querySelectorAll(selector)];
  const on = (target, events, act) => events.split(" ").forEach((event) => target.addEventListener(event, act));
  const fill = (made, attributes, children) => {
    for (const name in attributes) made.setAttribute(name, attributes[name]);
    made.append(...children);
    return made;
  };
  const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const shape = (tag, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const button = (shown, act, attributes = {}) => {
    const made = make("button", attributes, shown);
    on(made, "click", act);
    return made;
  };
  const choice = (label, values) => {
    const select = make("select", {}, make("option", { value: "" }, "All"), ...values.map((value) => make("option", {}, value)));
    return [select, make("label", {}, label, select)];
  };
  const tell = (text, of) => text.replace(/%\((\w+)\)s/g, (_, name) => of[name]);
  const words = (element) => element.textContent.replace(/\s+/g, " ").trim();

  // Folding: a heading's part is what follows it, up to the next heading of its level or above.
  const folds = all("h2, section > h3").map((heading) => {
    const level = heading.tagName, part = [];
    for (let next = heading.nextElementSibling; next && !(/^H\d$/.test(next.tagName) && next.tagName <= level); next = next.nextElementSibling) part.push(next);
    if (level === "H2") for (let next = heading.parentElement.nextElementSibling; next && !next.querySelector("h2"); next = next.nextElementSibling) part.push(next);
    const set = (open) => {
      toggle.ariaExpanded = open;
      part.forEach((element) => element.classList.toggle(`folded-${level}`, !open));
    };
    const toggle = button("", () => set(toggle.ariaExpanded !== "true"), { class: "fold", "aria-expanded": true, "aria-label": tell("Fold: %(name)s", { name: words(heading) }) });
    heading.append(toggle);
    return { part, level, set };
  });

  // Filtering: an entry that names no organisation, owner or severity is not left out for it.
  const RANKS = ["Critical", "High", "Medium", "Low"];
  const entries = all("[data-entry]").map((element) => [element, ["about", "owner", "severity"].map((facet) => (element.dataset[facet] || "").split("\n").filter(Boolean))]);
  const boxes = all(".scroll, section section, table").filter((box) => box.querySelector("[data-entry]"));
  const choices = ["Organisation", "Owner", "Severity"].map((label, facet) => {
    const values = [...new Set(entries.flatMap(([, facets]) => facets[facet]))];
    return choice(label, facet === 2 ? RANKS.filter((rank) => values.includes(rank)) : values);
  });
  const text = make("input", { type: "search" }), inputs = [text, ...choices.map(([select]) => select)], told = make("output", { role: "status" });
  const filter = () => {
    const wanted = text.value.toLowerCase().split(" ").filter(Boolean);
    let shown = 0;
    for (const [element, facets] of entries) {
      const written = wanted.length && element.textContent.toLowerCase();
      const kept = choices.every(([{ value }], facet) => !value || !facets[facet].length || facets[facet].includes(value)) && wanted.every((word) => written.includes(word));
      element.classList.toggle("off", !kept);
      shown += kept;
    }
    boxes.forEach((box) => box.classList.toggle("off", !box.querySelector("[data-entry]:not(.off)")));
    told.textContent = shown < entries.length ? tell("%(shown)s of %(all)s entries match", { shown, all: entries.length }) : "";
  };
  const clear = () => {
    for (const input of inputs) input.value = "";
    filter();
  };
  let open = true;
  const foldAll = button("Fold all", () => {
    open = !open;
    folds.forEach((fold) => fold.level === "H2" && fold.set(open));
    foldAll.textContent = open ? "Fold all" : "Unfold all";
  });
  const controls = entries.length ? [...choices.map(([, label]) => label), make("label", {}, "Text", text), button("Clear", clear)] : [];
  if (folds.length > 1 || entries.length) main.prepend(make("div", { class: "tools", role: "search", "aria-label": "Filter and fold" }, ...controls, foldAll, told));
  for (const input of inputs) on(input, "input", filter);

  // A link leads to what it names, folded or filtered out as it may be.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !main.contains(target)) return;
    if (target.closest(".off")) clear();
    folds.forEach((fold) => fold.part.some((element) => element.contains(target)) && fold.set(true));
    target.scrollIntoView();
  };
  on(window, "hashchange", reveal);
  on(document, "click", (event) => event.target.closest("a")?.getAttribute("href") === location.hash && reveal());

  // Sorting: dates by day, numbers by value, severities by rank, the rest by letter; a third press restores the order.
  const key = (cell) => {
    const shown = words(cell), [date] = /^\d+ [A-Z]\w\w \d{4}/.exec(shown) || [], number = /^[-−]?\d[\d,.]*/.exec(shown);
    if (date) return Date.parse(date);
    if (number) return parseFloat(number[0].replace(/,/g, "").replace("−", "-"));
    const rank = RANKS.findIndex((name) => cell.querySelector(".mark")?.textContent.includes(name));
    return rank < 0 ? shown.toLowerCase() : rank;
  };
  const order = (a, b) => (a.toFixed ? b.toFixed ? a - b : -1 : b.toFixed ? 1 : a.localeCompare(b, "en", { numeric: true }));
  for (const table of all("table")) {
    const bodies = [...table.tBodies].map((body) => [body, [...body.rows]]), heads = [...(table.tHead?.rows[0].cells || [])];
    const plain = ([, rows]) => rows.every((row, index) => row.cells.length === heads.length || (!index && row.matches(".group")));
    if (!heads.length || heads.some((head) => head.children.length) || !bodies.every(plain) || !bodies.some(([, rows]) => rows.length > 2)) continue;
    heads.forEach((head, column) => words(head) && head.replaceChildren(button(words(head), () => {
      const next = { ascending: "descending", descending: "" }[head.ariaSort] ?? "ascending", way = next === "ascending" ? 1 : -1;
      heads.forEach((other) => (other.ariaSort = other === head && next ? next : null));
      for (const [body, rows] of bodies) {
        const keyed = rows.map((row) => [row, row.matches(".group") ? null : key(row.cells[column])]);
        if (next) keyed.sort(([, a], [, b]) => a === null ? -1 : b === null ? 1 : way * order(a, b));
        body.append(...keyed.map(([row]) => row));
      }
    }, { class: "sort" })));
  }

  // The gap graph: every node in the column of its wave; a node leads along what it waits for and what waits for it.
  const data = document.getElementById("graph-data"), place = main.querySelector(".picture.graph");
  if (data && place) {
    const { nodes, edges, labels, orgs } = JSON.parse(data.textContent), W = 214, H = 54, DX = 270, DY = 66;
    for (const node of nodes) node.after = [], node.prior = [];
    const arrows = edges.map(([from, to]) => [nodes[from], nodes[to]]);
    for (const [from, to] of arrows) from.after.push(to), to.prior.push(from);
    const along = (start, next, found = new Set()) => {
      for (const node of start[next]) if (!found.has(node)) along(node, next, found.add(node));
      return found;
    };
    const spoken = ({ r, k, w, t }) => `${r}, ${k}, ${w}: ${labels[t][0]}`;
    const [at, atLabel] = choice("Organisation", orgs), alone = make("input", { type: "checkbox" });
    const svg = shape("svg", { role: "group", "aria-label": "Gap graph with all nodes" }), said = make("div", { class: "said", role: "status" });
    let chosen = null, view, size, spots, lines, boxes;
    const look = (to) => {
      view = to;
      svg.setAttribute("viewBox", view.join(" "));
    };
    const fit = () => look([-8, -8, size[0] + 16, size[1] + 16]);
    const zoom = (by, x = 0.5, y = 0.5) => {
      const grown = Math.min(Math.max(view[2] * by, 150), 4 * size[0] + 900) / view[2];
      look([view[0] + view[2] * (1 - grown) * x, view[1] + view[3] * (1 - grown) * y, view[2] * grown, view[3] * grown]);
    };
    const go = (node) => {
      if (!boxes.has(node)) return;
      boxes.forEach((box, each) => (box.tabIndex = each === node ? 0 : -1));
      const [x, y] = spots.get(node), within = (start, low, high, length) => Math.max(Math.min(start, low - 8), high + 8 - length);
      look([within(view[0], x, x + W, view[2]), within(view[1], y, y + H, view[3]), view[2], view[3]]);
      boxes.get(node).focus({ preventScroll: true });
    };
    const paint = () => {
      const [up, down] = ["prior", "after"].map((next) => chosen ? [...along(chosen, next)] : []), chain = new Set([chosen, ...up, ...down]);
      const dim = (element, ...ends) => element.classList.toggle("dim", chosen !== null && !ends.every((node) => chain.has(node)));
      boxes.forEach((box, node) => {
        dim(box, node);
        box.ariaPressed = node === chosen;
      });
      lines.forEach(([line, ...ends]) => dim(line, ...ends));
      const list = (ends) => ends.map(({ r, w }) => `${r} (${w})`).join(", ") || "nothing";
      said.replaceChildren(...(!chosen
        ? ["Follow what a node waits for and what waits for it: click or arrow keys and Enter. Drag to move; + and − zoom; 0 shows all; Escape lets go."]
        : [make("strong", {}, spoken(chosen)), ". ", tell("Waits for: %(before)s. Opens the way for: %(after)s.", { before: list(up), after: list(down) }), " ", chosen.a ? make("a", { href: `#${chosen.a}` }, "Read about it") : ""]));
      return chain;
    };
    const choose = (node) => {
      chosen = node === chosen ? null : node;
      if (alone.checked) draw();
      else paint();
      go(node);
    };
    const draw = () => {
      const org = orgs.indexOf(at.value), chain = paint();
      const seen = nodes.filter((node) => (org < 0 || node.o.includes(org)) && (!alone.checked || !chosen || chain.has(node)));
      const here = new Set(seen), lasting = arrows.filter((ends) => ends.every((node) => here.has(node)));
      const linked = new Set(lasting.flat()), joined = seen.filter((node) => linked.has(node)), apart = seen.filter((node) => !linked.has(node));
      const waves = [...new Set(joined.map(({ v }) => v))].sort((a, b) => a - b);
      const most = Math.max(8, Math.ceil(Math.sqrt(2 * seen.length))); // a longer wave takes several columns
      let height = 0, column = 0;
      spots = new Map();
      for (const wave of waves) {
        const mean = (node) => node.prior.filter((other) => here.has(other)).reduce((sum, other, _, { length }) => sum + spots.get(other)[1] / length, 0);
        const stack = joined.filter(({ v }) => v === wave).map((node) => [mean(node), node]).sort((a, b) => a[0] - b[0]);
        stack.forEach(([, node], row) => spots.set(node, [(column + Math.floor(row / most)) * DX, (row % most) * DY]));
        height = Math.max(height, Math.min(stack.length, most) * DY);
        column += Math.ceil(stack.length / most);
      }
      const wide = Math.max(column, Math.min(apart.length, 4), 1);
      if (height && apart.length) height += DY / 2;
      apart.forEach((node, index) => spots.set(node, [(index % wide) * DX, height + Math.floor(index / wide) * DY]));
      size = [wide * DX - DX + W, height + Math.ceil(apart.length / wide) * DY];
      lines = lasting.map(([from, to]) => {
        const [x, y] = spots.get(from), [u, v] = spots.get(to), a = x + W, b = y + H / 2, d = v + H / 2, m = (a + u) / 2;
        return [shape("path", { class: "line", d: `M${a} ${b}C${m} ${b} ${m} ${d} ${u - 2} ${d}m-6-4l6 4l-6 4` }), from, to];
      });
      boxes = new Map([...spots].map(([node, [x, y]]) => {
        const { r, w, s, t, x: root } = node, line = (down, shown, name) => shape("text", { x: 11, y: down, class: name }, shown);
        const box = shape("g", { class: `node ${s}`, transform: `translate(${x} ${y})`, tabindex: -1, role: "button" },
          shape("title", {}, spoken(node) + (root ? ` (${"root cause"})` : "")), shape("rect", { width: W, height: H, rx: 6 }), line(16, `${r} · ${w.length > 24 ? w.slice(0, 23) + "…" : w}`, "what"), ...labels[t][1].map((shown, row) => line(31 + 13 * row, shown, "")));
        if (root) box.append(shape("rect", { class: "root", x: 3, y: 6, width: 3, height: H - 12 }));
        on(box, "click", () => choose(node));
        return [node, box];
      }));
      svg.replaceChildren(...lines.map(([line]) => line), ...boxes.values());
      const [first] = boxes.values();
      if (first) first.tabIndex = 0;
      if (!boxes.has(chosen)) chosen = null;
      if (size[0] > svg.clientWidth || size[1] > svg.clientHeight) look([-8, -8, svg.clientWidth, svg.clientHeight]);
      else fit();
      paint();
    };
    on(svg, "keydown", (event) => {
      const keys = [...boxes.keys()], node = keys.find((each) => boxes.get(each) === document.activeElement), to = (next) => go(next.find((other) => boxes.has(other)));
      const act = {
        Enter: () => choose(node), " ": () => choose(node), Escape: () => chosen && choose(chosen),
        "+": () => zoom(0.8), "-": () => zoom(1.25), 0: fit, ArrowRight: () => to(node.after), ArrowLeft: () => to(node.prior),
        ArrowDown: () => go(keys[keys.indexOf(node) + 1]), ArrowUp: () => go(keys[keys.indexOf(node) - 1]),
      }[event.key];
      if (!node || !act) return;
      event.preventDefault();
      act();
    });
    on(svg, "wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls as ever
      event.preventDefault();
      const box = svg.getBoundingClientRect();
      zoom(event.deltaY > 0 ? 1.15 : 0.87, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });
    on(svg, "pointerdown", (down) => {
      const [x, y, w, h] = view, scale = Math.max(w / svg.clientWidth, h / svg.clientHeight);
      const move = (event) => look([x - (event.clientX - down.clientX) * scale, y - (event.clientY - down.clientY) * scale, w, h]);
      on(window, "pointermove", move);
      on(window, "pointerup pointercancel", () => removeEventListener("pointermove", move));
    });
    for (const input of [at, alone]) on(input, "input", () => draw());
    place.after(make("div", { class: "explorer", role: "group", "aria-label": "Gap graph to explore" },
      make("div", { class: "tools" }, orgs.length > 1 ? atLabel : "", make("label", { class: "check" }, alone, "Only the chain that is followed"),
        button("+", () => zoom(0.8), { "aria-label": "Zoom in" }), button("−", () => zoom(1.25), { "aria-label": "Zoom out" }), button("Whole graph", fit)), svg, said));
    boxes = lines = [];
    draw();
  }
  reveal();
})();
