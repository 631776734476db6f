export default defineConfig({
  name: "shop",
  profiles: {
    staging: { domain: "s.shop" },
  },
});
