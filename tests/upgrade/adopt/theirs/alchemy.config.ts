export default defineConfig({
  name: "app",
  health: { path: "/health" },
  profiles: {
    staging: { domain: "s" },
    prod: { domain: "p" },
  },
});
