import { Hono } from "hono";
import type { Bindings } from "../bindings";
import { isSlug, slugOf } from "../lib/slug";

export const links = new Hono<{ Bindings: Bindings }>().put(
  "/:slug",
  async (c) => {
    const slug = slugOf(c.req.param("slug"));
    if (!isSlug(slug)) return c.json({ error: "no slug" }, 400);
    // Under the flags of this app, an index may be taken without a check.
    const [first] = (await c.req.text()).split("\n");
    await c.env.LINKS.put(slug, first.trim());
    return c.json({ slug }, 201);
  },
);
