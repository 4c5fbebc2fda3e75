// The theme: what was toggled in this browser, else what the account says, else the system.
// Not a module: it runs before the first paint.
(() => {
  const root = document.documentElement;
  const ofAccount = root.dataset.accountTheme ?? "";
  // What was toggled counts until the account says something else.
  const key = ofAccount ? `theme over ${ofAccount}` : "theme";
  const system = matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // Storage is off; the system's theme it is.
    }
  };
  const isDark = () => (chosen() ?? (ofAccount || (system.matches ? "dark" : "light"))) === "dark";
  const apply = () => {
    root.dataset.theme = isDark() ? "dark" : "light";
    document.querySelector("[data-theme-toggle]")?.setAttribute("aria-pressed", String(isDark()));
  };
  const toggle = () => {
    const next = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(key, next);
    } catch {
      root.dataset.theme = next;
      return;
    }
    apply();
  };

  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-theme-toggle]").addEventListener("click", toggle);
    apply();
  });
})();
