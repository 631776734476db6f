import { defineConfig } from "./scripts/release/config.ts";

/**
 * What this app is made of and where it runs. Deploying, verifying, promoting and rolling back read everything from
 * here; docs/PROMOTION.md explains each field.
 */
export default defineConfig({
  name: "visit-counter",
  repository: "octo/visit-counter",

  resources: {
    api: {
      type: "worker",
      script: "./src/api.ts",
    },
    cache: {
      type: "kv",
    },
  },

  // In the order of promotion: pushes to main go to the first profile, every other one is promoted from it.
  profiles: {
    staging: {
      domain: "staging.example.com",
      secrets: ["API_KEY"],
    },
    prod: {
      domain: "example.com",
      secrets: ["API_KEY"],
      watch: "10m",
    },
  },
});
