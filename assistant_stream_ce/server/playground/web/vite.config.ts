import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// During `npm run dev` the page talks to a backend started beside it.
const backend = "http://127.0.0.1:8000";

export default defineConfig({
  // Every link is relative: the page works under whatever prefix it is mounted.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    // The licences of what is bundled travel with it.
    license: { fileName: "licenses.md" },
    // light-dark() and color-mix() stay as written; these are the first versions that have both.
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    target: ["chrome123", "firefox121", "safari17.5"],
    chunkSizeWarningLimit: 1200,
  },
  server: {
    proxy: {
      "/assistant": backend,
      "/threads": backend,
      "/health": backend,
    },
  },
});
