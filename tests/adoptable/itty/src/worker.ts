import { AutoRouter, type IRequest } from "itty-router";
import { greeting } from "./greeting";

export interface Env {
  DB: D1Database;
}

const router = AutoRouter<IRequest, [Env, ExecutionContext]>();

router
  .get("/health", () => ({ status: "ok" }))
  .get(
    "/guests",
    async (_, env) =>
      (await env.DB.prepare("SELECT name FROM guests").all()).results,
  )
  .get("/:name", ({ name }) => greeting(name));

export default { ...router };
