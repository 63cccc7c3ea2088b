"use strict";
// Without this script pages are complete as they were loaded; it replaces what changes meanwhile.
{
  const announced = document.getElementById("announced");
  const connection = document.getElementById("connection");
  const states = new Map();
  let asked = 0;

  const show = (told) => {
    for (const place of document.querySelectorAll("[data-job]")) {
      if (place.dataset.job !== told.job) continue;
      for (const each of place.querySelectorAll("[data-live]")) {
        const text = told.texts[each.dataset.live];
        if (each.dataset.live === "bar") {
          if (told.percent === null) each.removeAttribute("value");
          else each.value = told.percent;
        } else if (text !== undefined && each.textContent !== text) each.textContent = text;
        if (each.dataset.live === "state") each.className = `badge ${told.state}`;
      }
    }
    const before = states.get(told.job);
    states.set(told.job, told.state);
    if (before !== undefined && before !== told.state) {
      announced.textContent = `${told.job}: ${told.texts.about}`;
      renew();
    } else if (Date.now() - asked > 4000) renewPart("findings");
  };

  const loaded = async (address) => {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const replace = (fresh, selector) => {
    const [old, other] = [document, fresh].map((each) => each.querySelector(selector));
    if (old && other) old.replaceWith(document.adoptNode(other));
  };

  // After a change of state, which may change everything but what the reader is typing.
  const renew = async () => {
    if (document.activeElement?.closest("main form")) return;
    try {
      const fresh = await loaded(location.href);
      const focused = document.activeElement?.getAttribute("href");
      for (const each of ["main", ".actions", ".tabs"]) replace(fresh, each);
      if (focused && document.activeElement === document.body) {
        const same = [...document.links].find((each) => each.getAttribute("href") === focused);
        (same ?? document.getElementById("main")).focus();
      }
      document.dispatchEvent(new Event("renewed"));
    } catch { /* the next change tries again */ }
  };

  const renewPart = async (part) => {
    if (document.hidden || !document.getElementById(`${part}-part`)) return;
    asked = Date.now();
    try {
      replace(await loaded(`${location.pathname}?part=${part}`), `#${part}-part`);
    } catch { /* as above */ }
  };

  const address = document.body.dataset.live;
  if (address && "EventSource" in window) {
    for (const place of document.querySelectorAll("[data-job]")) {
      const badge = place.querySelector("[data-live=state]");
      if (badge) states.set(place.dataset.job, badge.textContent);
    }
    const source = new EventSource(address);
    source.addEventListener("job", (event) => show(JSON.parse(event.data)));
    source.onopen = () => (connection.textContent = "");
    source.onerror = () => (connection.textContent = "The server does not answer; trying again.");
    addEventListener("pagehide", () => source.close());
  }
}
