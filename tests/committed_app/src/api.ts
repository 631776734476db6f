import type { KVNamespace } from "@cloudflare/workers-types";

/** What alchemy.run.ts binds to this Worker: add a line here for each resource, variable or secret that you add there. */
export interface Env {
  /** staging, prod or your own dev-<user>. */
  ENVIRONMENT: string;
  /** The git commit that this Worker was built from. */
  APP_VERSION: string;
  /** Cloudflare's own name for the uploaded version; absent in `bun run dev`. */
  CF_VERSION_METADATA?: { id: string };
  CACHE: KVNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/":
        return Response.json({ message: "Hello from visit-counter" });
      case "/health":
        return health(env);
      case "/visits":
        return visits(env);
      default:
        return Response.json({ error: "not found" }, { status: 404 });
    }
  },
};

/**
 * Says which release answers. The release check compares `version` with the commit that it deployed and `worker` with
 * Cloudflare's version: without them it could be looking at the release before.
 */
function health(env: Env): Response {
  return Response.json(
    {
      status: "ok",
      version: env.APP_VERSION,
      environment: env.ENVIRONMENT,
      worker: env.CF_VERSION_METADATA?.id,
    },
    { headers: { "cache-control": "no-store" } },
  );
}

/** An example of a binding. KV has no atomic increment, so visits at the same moment count once. */
async function visits(env: Env): Promise<Response> {
  const count = Number((await env.CACHE.get("visits")) ?? 0) + 1;
  await env.CACHE.put("visits", String(count));
  return Response.json({ count });
}
