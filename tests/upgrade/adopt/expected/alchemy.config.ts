export default defineConfig({
  name: "shop",
  health: { path: "/health" },
  profiles: {
    staging: { domain: "s.shop" },
    prod: { domain: "p" },
  },
});
