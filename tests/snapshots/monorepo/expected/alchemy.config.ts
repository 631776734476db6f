import { defineConfig } from "./scripts/release/config.ts";

/**
 * What this app is made of and where it runs. Deploying, verifying, promoting and rolling back read everything from
 * here; docs/PROMOTION.md explains each field.
 */
export default defineConfig({
  name: "shop",
  repository: "octo/everything",
  // This repository holds several apps: the names of this one's GitHub environments and workflows end like this.
  suffix: "-shop",

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
    },
    prod: {
      domain: "example.com",
    },
  },
});
