"use strict";
// Without this script a day is a page; it shows another one in its place.
{
  const PACE_MS = 900;
  const ring = document.getElementById("ring");
  const player = ring.querySelector(".player");
  const [button, slider] = player.querySelectorAll("button, input");
  const reading = player.querySelector(".reading");
  const field = ring.querySelector("input[name=day]");
  const agents = ring.querySelector("input[name=agent]").defaultValue;
  const last = Number(ring.dataset.last);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let day = Number(slider.value);
  let asked = null;
  let playing = 0;

  const query = (wanted, more = {}) => {
    const named = { day: wanted, ...(agents ? { agent: agents } : {}), ...more };
    return `${ring.dataset.here}?${new URLSearchParams(named)}`;
  };

  const tell = () => {
    slider.value = day;
    slider.setAttribute("aria-valuetext", `${day} of ${last}`);
    reading.textContent = `${day} of ${last}`;
    field.value = day;
    for (const link of ring.querySelectorAll("[data-step]")) {
      const to = day + Number(link.dataset.step);
      if (to >= 0 && to <= last) link.href = query(to);
      else link.removeAttribute("href");
    }
    for (const link of document.querySelectorAll("[data-keeps-day]")) {
      const to = new URL(link.href);
      to.searchParams.set("day", day);
      link.href = to;
    }
  };

  // Returns whether the day is shown; not where another was asked for meanwhile.
  const show = async (wanted) => {
    asked?.abort();
    const mine = (asked = new AbortController());
    day = Math.min(Math.max(wanted, 0), last);
    tell();
    try {
      const answer = await fetch(query(day, { part: "day" }), { signal: mine.signal });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asked !== mine) return false;
      const part = document.adoptNode(fresh.getElementById("day-part"));
      document.getElementById("day-part").replaceWith(part);
      history.replaceState(null, "", query(day));
      return true;
    } catch (error) {
      if (error.name !== "AbortError") location.assign(query(day));
      return false;
    }
  };

  const pause = () => {
    clearTimeout(playing);
    playing = 0;
    button.textContent = "Play";
  };

  const step = async () => {
    const shown = await show(day + 1);
    if (!playing) return;
    if (shown && day < last) playing = setTimeout(step, PACE_MS);
    else pause();
  };

  button.addEventListener("click", () => {
    if (playing) return pause();
    if (day >= last) day = -1;
    button.textContent = "Pause";
    playing = setTimeout(step, 0);
  });
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
  ring.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-step][href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    pause();
    show(day + Number(link.dataset.step));
  });

  // Nothing moves by itself for those who have asked for that; the slider does what they do.
  const suit = () => {
    if (calm.matches) pause();
    button.hidden = calm.matches;
  };
  calm.addEventListener("change", suit);
  suit();
  tell();
  player.hidden = false;
}
