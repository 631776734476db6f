import { Hono } from "hono";
import { Layout } from "../lib/layout";

export const page = new Hono().get("/", (c) =>
  c.html(
    <Layout title="Link desk">
      <h1>Link desk</h1>
    </Layout>,
  ),
);
