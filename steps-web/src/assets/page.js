// Keeps a page up to date: when the server says that something has changed, the page is asked for again, and
// the parts that are other ones are put in place. Without this, the page is whole, and is what it was.
"use strict";

(() => {
  const url = document.body.dataset.live;
  const state = document.getElementById("live-state");
  if (!url || !window.EventSource) return;
  let source = null;
  let busy = false;
  let again = false;

  const say = (text) => {
    if (state.textContent !== text) state.textContent = text;
  };

  // What is open, is looked at or is written in stays so.
  const put = (old, fresh) => {
    const open = [...old.querySelectorAll("details[open]")].map((it) => it.id).filter(Boolean);
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    const summary = focus && focus.tagName === "SUMMARY" ? focus.parentElement.id : "";
    const link = focus && focus.id;
    const tops = [...old.querySelectorAll("pre[tabindex]")].map((it) => it.scrollTop);
    old.replaceChildren(...fresh.childNodes);
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    [...old.querySelectorAll("pre[tabindex]")].forEach((it, at) => {
      it.scrollTop = tops[at] || 0;
    });
    const place = (summary && document.getElementById(summary)?.firstElementChild) ||
      (link && document.getElementById(link));
    if (place) place.focus({ preventScroll: true });
  };

  const isInUse = (part) =>
    [...part.querySelectorAll("input:not([type=hidden]), textarea, select")].some(
      (it) => it === document.activeElement || (it.tagName !== "SELECT" && it.value !== it.defaultValue),
    );

  const look = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of document.querySelectorAll("[data-part]")) {
          const other = fresh.getElementById(part.id);
          if (other && other.innerHTML !== part.dataset.was && !isInUse(part)) {
            const text = other.innerHTML;
            if (text !== part.innerHTML) put(part, other);
            part.dataset.was = text;
          }
        }
        document.title = fresh.title;
      } else {
        stop("This page is not kept up to date any more: load it again.");
      }
    } catch {
      // The server is away: the stream tells when it is back.
    }
    busy = false;
    if (again) {
      again = false;
      setTimeout(look, 200);
    }
  };

  const stop = (text) => {
    if (source) source.close();
    source = null;
    say(text);
  };

  const begin = () => {
    if (source) return;
    source = new EventSource(url);
    source.addEventListener("hello", () => {
      say("Kept up to date.");
      look();
    });
    source.addEventListener("change", look);
    source.addEventListener("gone", () => stop("This is not there any more."));
    source.addEventListener("over", () => {
      look();
      stop("It has ended.");
    });
    source.onerror = () => {
      say("Not connected: trying again.");
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(begin, 5000);
      }
    };
  };

  // What nobody looks at asks for nothing.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      if (source) source.close();
      source = null;
    } else {
      begin();
    }
  });
  if (!document.hidden) begin();
})();
