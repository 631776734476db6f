import { euro } from "@example/money";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { total } from "./lib/orders";

export interface Env {
  ORDERS: D1Database;
  PICTURES: R2Bucket;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/health":
        return Response.json({ status: "ok" });
      case "/orders":
        return Response.json({ total: euro(await total(env.ORDERS)) });
      case "/pictures": {
        await env.PICTURES.put("door", "a green door");
        const picture = await env.PICTURES.get("door");
        return new Response(await picture?.text());
      }
      default:
        return new Response("not found", { status: 404 });
    }
  },
};
