// Keeps the page as the workshop is. The server sends whole parts, already escaped; a part is put in place only
// where it changed, so that nothing jumps. Without a word for five seconds the page says that it is stale.
"use strict";
(() => {
  const stale = document.getElementById("stale");
  let heard = Date.now();
  const hear = () => {
    heard = Date.now();
    stale.hidden = true;
  };
  const show = (parts) => {
    for (const [id, html] of Object.entries(parts)) {
      const part = document.getElementById(id);
      if (part && part.dataset.now !== html) {
        part.innerHTML = html;
        part.dataset.now = html;
      }
    }
  };
  const listen = () => {
    const live = new EventSource("/panel/live");
    live.addEventListener("parts", (event) => {
      hear();
      show(JSON.parse(event.data));
    });
    live.onerror = () => {
      // The browser comes back by itself unless the answer was a refusal.
      if (live.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
    };
  };
  setInterval(() => {
    stale.hidden = Date.now() - heard < 5000;
  }, 1000);
  listen();
})();
