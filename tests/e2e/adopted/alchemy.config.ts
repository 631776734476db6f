export default {
  name: "corner-shop",

  resources: {
    api: {
      type: "worker",
      script: "./src/api.ts",
    },
    orders: {
      type: "d1",
    },
    pictures: {
      type: "r2",
    },
    sessions: {
      type: "kv",
    },
  },

  profiles: {
    dev: {
      // Development-specific config
      domain: "dev.example.com",
    },
    prod: {
      // Production-specific config
      domain: "example.com",
    },
  },
};
