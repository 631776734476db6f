import { Hono } from "hono";
import type { Bindings } from "./bindings";
import { health } from "./routes/health";
import { links } from "./routes/links";
import { page } from "./routes/page";

const app = new Hono<{ Bindings: Bindings }>();

app.route("/health", health);
app.route("/links", links);
app.route("/", page);
app.get("/:slug", async (c) => {
  const target = await c.env.LINKS.get(c.req.param("slug"));
  return target === null ? c.notFound() : c.redirect(target);
});

export default app;
