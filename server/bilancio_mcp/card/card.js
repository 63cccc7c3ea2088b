"use strict";
{
  const ROWS = 12, ASK_MS = 3000;
  const card = document.getElementById("card");
  const waiting = new Map();
  let last = 0, canAsk = false, timer;

  const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const request = (method, params) => new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject });
    send({ id: last, method, params });
  });

  // Texts are set as text: nothing of a job becomes markup.
  const make = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const written = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value !== "number" || Number.isInteger(value)) return String(value);
    return Math.abs(value) >= 1000 ? value.toFixed(1) : String(Number(value.toPrecision(4)));
  };

  // A column `m` and its ends `m_low` and `m_high` become one.
  const columnsOf = (names) => names.flatMap((name, at) => {
    const base = name.replace(/_(low|high)$/, "");
    if (base !== name && names.includes(base)) return [];
    const ends = ["low", "high"].map((end) => names.indexOf(`${name}_${end}`));
    return [{ name, at, ends: ends.includes(-1) ? null : ends }];
  });

  const cell = (row, { at, ends }) => {
    const value = written(row[at]);
    if (!ends || ends.some((end) => row[end] === null)) return value;
    return `${value} [${ends.map((end) => written(row[end])).join(", ")}]`;
  };

  const table = (found, title) => {
    const scroll = make("div", undefined, "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "group");
    scroll.setAttribute("aria-label", title);
    const shown = make("table"), head = make("tr"), columns = columnsOf(found.columns);
    const numeric = columns.map(({ at }) => found.rows.every((row) => typeof row[at] === "number"));
    columns.forEach(({ name }, place) => {
      const th = make("th", name.replaceAll("_", " "), numeric[place] ? "number" : "");
      th.scope = "col";
      head.append(th);
    });
    shown.append(make("thead"), make("tbody"));
    shown.tHead.append(head);
    for (const row of found.rows.slice(0, ROWS)) {
      const tr = make("tr");
      columns.forEach((each, place) => tr.append(make("td", cell(row, each), numeric[place] ? "number" : "")));
      shown.tBodies[0].append(tr);
    }
    scroll.append(shown);
    const left = found.total_rows - Math.min(found.rows.length, ROWS);
    return left > 0 ? [scroll, make("p", `${left.toLocaleString("en")} more rows`, "quiet")] : [scroll];
  };

  const heading = (told) => {
    const line = make("p");
    line.append(make("h1", told.job_id), make("span", told.status, `badge ${told.status}`));
    return [line, make("p", told.description, "quiet")];
  };

  const progressOf = (told) => {
    const bar = make("progress"), done = told.completed_runs + told.failed_runs;
    bar.max = told.total_runs || 1;
    bar.value = done;
    bar.setAttribute("aria-label", "Runs that have finished");
    return [...heading(told), bar, make("p", told.summary)];
  };

  const resultsOf = (told) => [
    ...heading(told),
    make("p", told.summary),
    ...(told.warnings || []).map((each) => make("p", each, "warning")),
    ...["table", "contrasts", "effects", "frontier"].flatMap((name) =>
      told[name]?.rows.length ? table(told[name], name) : []),
    ...(told.files?.length ? [make("p", `Files: ${told.files.join(", ")}`, "quiet")] : []),
  ];

  const show = (answer) => {
    clearTimeout(timer);
    const told = answer.structuredContent;
    if (answer.isError || !told?.job_id) {
      const texts = (answer.content || []).map((each) => each.text || "").join("\n");
      card.replaceChildren(make("p", texts || "There is no answer.", answer.isError ? "warning" : ""));
    } else if ("total_runs" in told) {
      card.replaceChildren(...progressOf(told));
      if (told.status === "running" && canAsk) timer = setTimeout(ask, ASK_MS, told.job_id);
    } else card.replaceChildren(...resultsOf(told));
    resized();
  };

  const ask = async (job_id) => {
    try {
      show(await request("tools/call", { name: "job_status", arguments: { job_id } }));
    } catch { /* the host does not allow it; what is shown stays */ }
  };

  const dress = (context) => {
    if (!context) return;
    if (context.theme) document.documentElement.dataset.theme = context.theme;
    if (context.theme) document.documentElement.style.colorScheme = context.theme;
    for (const [name, value] of Object.entries(context.styles?.variables || {})) {
      if (value) document.documentElement.style.setProperty(name, value);
    }
  };

  const resized = () => send({
    method: "ui/notifications/size-changed",
    params: { width: document.documentElement.scrollWidth, height: Math.ceil(card.getBoundingClientRect().height) },
  });

  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.jsonrpc !== "2.0") return;
    if (data.method === "ui/notifications/tool-result") show(data.params ?? {});
    else if (data.method === "ui/notifications/tool-cancelled") show({ content: [{ text: `Cancelled. ${data.params?.reason || ""}` }] });
    else if (data.method === "ui/notifications/host-context-changed") dress(data.params);
    else if (data.method === "ui/resource-teardown" || data.method === "ping") {
      clearTimeout(timer);
      send({ id: data.id, result: {} });
    } else if (!data.method && waiting.has(data.id)) {
      const { resolve, reject } = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error) reject(new Error(data.error.message));
      else resolve(data.result);
    }
  });

  request("ui/initialize", {
    protocolVersion: "2026-01-26",
    appInfo: { name: "bilancio", version: "1" },
    appCapabilities: { availableDisplayModes: ["inline"] },
  }).then((host) => {
    canAsk = Boolean(host.hostCapabilities?.serverTools);
    dress(host.hostContext);
    send({ method: "ui/notifications/initialized" });
    new ResizeObserver(resized).observe(card);
  });
}
