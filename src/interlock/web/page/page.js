"use strict";

// The token leaves the address at once. It is kept for this tab and this port alone: cookies are shared by all ports
// of a machine, so that the cookie opens this page, and only the token a session.
const given = new URLSearchParams(location.search).get("token");
if (given) {
  sessionStorage.setItem("token", given);
}
history.replaceState(null, "", "/");

function end(words) {
  document.getElementById("ended-words").textContent = words;
  document.getElementById("ended").hidden = false;
  document.body.classList.add("-ended");
  document.getElementById("again").focus();
}

// textual.js does not take the keys, does not say why a session ended, and does not let a download begin without a window of its own.
window.WebSocket = class extends WebSocket {
  constructor(...rest) {
    super(...rest);
    this.addEventListener("open", () => document.querySelector(".xterm-helper-textarea").focus());
    this.addEventListener("close", (event) =>
      end(
        event.reason ||
          "The connection was lost. If `interlock serve` still runs, start again; if it was started anew, open the " +
            "address that it printed then.",
      ),
    );
  }
};
const open = window.open.bind(window);
window.open = (address) => {
  const url = new URL(address, location.href);
  if (url.origin === location.origin && url.pathname.startsWith("/download/")) {
    const link = document.createElement("a");
    link.href = url.href;
    link.download = "";
    link.click();
  } else if (url.protocol === "https:" || url.protocol === "http:") {
    open(url.href, "_blank", "noopener,noreferrer");
  }
  return null;
};

window.addEventListener("load", async () => {
  document.getElementById("again").addEventListener("click", () => location.reload());
  const token = sessionStorage.getItem("token");
  if (!token) {
    end("This tab was opened without its token. Open the whole address that `interlock serve` printed.");
    return;
  }
  const terminal = document.getElementById("terminal");
  terminal.dataset.sessionWebsocketUrl = `ws://${location.host}/session/${encodeURIComponent(token)}`;
  // The terminal measures its font once: it has to be there before.
  const styles = ["15px", "bold 15px", "italic 15px"];
  await Promise.all(styles.map((style) => document.fonts.load(`${style} "Roboto Mono"`)));
  const script = document.createElement("script");
  script.src = "/static/js/textual.js";
  script.onload = () => window.onload();
  document.head.append(script);
});
