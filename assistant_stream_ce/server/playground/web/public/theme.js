// Runs before the first paint, so a chosen theme never flashes the other one.
try {
  const theme = localStorage.getItem("assistant-stream-theme");
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // Storage is blocked: the system's choice stands.
}
